import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { nextTurn } from '../../torrent/memory-turns.ts';
import { openSegmentStore, type Segment, StoreError } from '../../torrent/store.ts';
import { directorySegments } from '../../torrent/store-directory.ts';
import { makeSample, SAMPLE_FILES } from './sample-torrent.ts';
import { type StoreUnderTest, storeContract } from './store-contract.ts';

/** Memory, which is read without another thread's help. */
const TMPFS = '/dev/shm';

async function under(
  segmentsIn: (directory: string) => readonly Segment[],
  parent = tmpdir(),
): Promise<StoreUnderTest & { directory: string }> {
  const directory = await mkdtemp(join(parent, 'swarmboot-store-'));
  const segments = segmentsIn(directory);
  const store = await openSegmentStore(segments, 'write');
  return {
    directory,
    store,
    pads: segments.filter(({ path }) => path === undefined),
    reopen: () => openSegmentStore(segments, 'read'),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const segment = (offset: number, length: number, path: string | undefined, pathOffset = 0): Segment => ({
  offset,
  length,
  path,
  pathOffset,
});

/** The layout of the cpio handoff: one file that holds both ends of the torrent with room for headers between. */
const cpioLike = (directory: string) => {
  const path = join(directory, 'one', 'file');
  return [segment(0, 5000, path, 110), segment(5000, 300, undefined), segment(5300, 7000, path, 6000)];
};

suite('store', () => {
  storeContract('one file', () => under((directory) => [segment(0, 10_000, join(directory, 'x'))]));
  storeContract('one file with an offset, pads and a hole', () => under(cpioLike));
  storeContract('one file in memory', () => under(cpioLike, TMPFS));
  storeContract('many small files and pads', () =>
    under((directory) =>
      Array.from({ length: 40 }, (_, index) =>
        segment(index * 100, 100, index % 4 === 3 ? undefined : join(directory, `f${index}`)),
      ),
    ),
  );

  test('a torrent in a folder: files as long as they must be, empty ones too, pads nowhere', async () => {
    await using sample = await makeSample();
    await using store = await under((directory) => directorySegments(sample.metainfo, directory));
    await store.store.write(0, sample.space);
    for (const [path, length] of Object.entries(SAMPLE_FILES)) {
      const bytes = await readFile(join(store.directory, path));
      assert.equal(bytes.length, length, path);
      assert.deepEqual(bytes, await readFile(join(sample.directory, path)), path);
    }
    await assert.rejects(stat(join(store.directory, '.pad')), { code: 'ENOENT' });
  });

  test('bytes of a file that belong to others stay as they are', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'swarmboot-store-'));
    try {
      const path = join(directory, 'x');
      await writeFile(path, Buffer.alloc(20_000, 7));
      const store = await openSegmentStore([segment(0, 100, path, 50)], 'write');
      await store.write(0, Buffer.alloc(100, 1));
      await store.close();
      const expected = Buffer.alloc(20_000, 7).fill(1, 50, 150);
      assert.deepEqual(await readFile(path), expected);
      const whole = await openSegmentStore([{ ...segment(0, 100, path), wholeFile: true }], 'write');
      await whole.close();
      assert.equal((await stat(path)).size, 100, 'a leftover of an earlier run is cut');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('what is in memory is there at once, without another thread', async () => {
    await nextTurn();
    // So much that no other thread could have copied it meanwhile, and not too much for one turn of the event loop.
    const bytes = Buffer.alloc(2 ** 19, 7);
    const target = Buffer.alloc(bytes.length);
    await using one = await under((directory) => [segment(0, bytes.length, join(directory, 'x'))], TMPFS);
    const written = one.store.write(0, bytes);
    const read = one.store.read(0, target);
    assert.equal(target.at(-1), 7);
    await Promise.all([written, read]);
  });

  test('whoever reads all that is in memory lets others have their turn', async () => {
    await using one = await under((directory) => [segment(0, 16 * 2 ** 20, join(directory, 'x'))], TMPFS);
    for (const part of [2 ** 20, 4096]) {
      let turns = 0;
      const count = (): void => {
        turns++;
        counting = setImmediate(count);
      };
      let counting = setImmediate(count);
      const target = Buffer.alloc(part);
      for (let at = 0; at < 16; at++) {
        await one.store.write(at * part, target);
        await one.store.read(at * part, target);
      }
      clearImmediate(counting);
      // 32 accesses: of a MiB, one in each turn.
      assert.ok(part < 2 ** 20 ? turns <= 2 : turns >= 30, `${turns} turns for parts of ${part} bytes`);
    }
  });

  for (const parent of [tmpdir(), TMPFS])
    test(`a file in ${parent} that is too short, or becomes so, is an error with numbers`, async () => {
      await using one = await under((directory) => [segment(0, 10_000, join(directory, 'x'))], parent);
      await truncate(join(one.directory, 'x'), 4000);
      await assert.rejects(one.store.read(3000, Buffer.alloc(2000)), {
        code: 'truncated',
        message: /ends at byte 4000/,
      });
      await assert.rejects(one.reopen(), { code: 'truncated', message: /has 4000 bytes, 10000 are needed/ });
    });

  const wrong: readonly (readonly [string, readonly Segment[]])[] = [
    ['a gap', [segment(0, 10, '/tmp/x'), segment(11, 1, undefined)]],
    ['an overlap', [segment(0, 10, '/tmp/x'), segment(9, 1, undefined)]],
    ['a negative length', [segment(0, -1, '/tmp/x')]],
    ['a negative place', [segment(0, 1, '/tmp/x', -1)]],
    ['an empty path', [segment(0, 1, '')]],
    ['a folder', [segment(0, 1, tmpdir())]],
    ['a character device', [segment(0, 1, '/dev/zero')]],
  ];
  for (const [what, segments] of wrong) {
    test(`segments with ${what} are refused`, async () => {
      await assert.rejects(openSegmentStore(segments, 'write'), (error) => error instanceof StoreError);
    });
  }

  test('a missing device node does not become a file in /dev', async () => {
    await assert.rejects(openSegmentStore([segment(0, 1, '/dev/swarmboot-no-such')], 'write'), {
      code: 'io',
      message: /ENOENT/,
    });
    await assert.rejects(stat('/dev/swarmboot-no-such'), { code: 'ENOENT' });
  });
});
