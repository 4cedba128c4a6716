/** Stores on what a booting machine really has: a block device and a tmpfs that gets full. Needs root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { openSegmentStore, type Segment } from '../../torrent/store.ts';
import { type StoreUnderTest, storeContract } from '../torrent/store-contract.ts';

const run = (command: string, ...parameters: string[]): string =>
  execFileSync(command, parameters, { encoding: 'utf8' }).trim();

/** A loop device of `bytes` bytes. */
function loopDevice(bytes: number): Disposable & { path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'swarmboot-loop-'));
  const image = join(directory, 'image');
  writeFileSync(image, '');
  truncateSync(image, bytes);
  const path = run('losetup', '--find', '--show', image);
  return {
    path,
    [Symbol.dispose]: () => {
      run('losetup', '--detach', path);
      rmSync(directory, { recursive: true });
    },
  };
}

async function onDevice(bytes: number, segmentsOn: (path: string) => Segment[]): Promise<StoreUnderTest> {
  const device = loopDevice(bytes);
  const segments = segmentsOn(device.path);
  const store = await openSegmentStore(segments, 'write');
  return {
    store,
    pads: segments.filter(({ path }) => path === undefined),
    reopen: () => openSegmentStore(segments, 'read'),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      device[Symbol.dispose]();
    },
  };
}

suite('store on devices', () => {
  storeContract('a block device', () =>
    onDevice(1_048_576, (path) => [
      { offset: 0, length: 100_000, path, pathOffset: 4096 },
      { offset: 100_000, length: 1000, path: undefined, pathOffset: 0 },
      { offset: 101_000, length: 50_001, path, pathOffset: 200_000 },
    ]),
  );

  test('a block device that is too small is refused before the first byte, with both numbers', async () => {
    using device = loopDevice(1_048_576);
    const segments = [{ offset: 0, length: 2_000_000, path: device.path, pathOffset: 0 }];
    for (const mode of ['read', 'write'] as const) {
      await assert.rejects(openSegmentStore(segments, mode), {
        code: 'device-too-small',
        message: /has 1048576 bytes, 2000000 are needed/,
      });
    }
  });

  test('a full tmpfs is an error that says what to do', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'swarmboot-full-'));
    try {
      run('mount', '-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', directory);
      const segments = [{ offset: 0, length: 4_194_304, path: join(directory, 'x'), pathOffset: 0 }];
      const store = await openSegmentStore(segments, 'write');
      try {
        await store.write(0, Buffer.alloc(500_000, 1));
        await assert.rejects(store.write(500_000, Buffer.alloc(3_000_000, 1)), {
          code: 'no-space',
          message: /ENOSPC.*more memory/,
        });
      } finally {
        await store.close();
      }
    } finally {
      run('umount', directory);
      rmSync(directory, { recursive: true });
    }
  });
});
