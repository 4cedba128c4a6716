import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeArchive } from '../../../server/image/newc.ts';

interface Read {
  readonly path: string;
  readonly mode: number;
  readonly bytes: Buffer;
}

/** A reader after the kernel's buffer-format.rst, independent of the writer. */
function readArchive(archive: Buffer): Read[] {
  const entries: Read[] = [];
  let at = 0;
  const align = () => {
    at = Math.ceil(at / 4) * 4;
  };
  for (;;) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701', `magic at ${at}`);
    const field = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [mode, uid, gid, mtime, size, nameSize] = [1, 2, 3, 5, 6, 11].map(field) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    at += 110;
    const path = archive.toString('utf8', at, at + nameSize - 1);
    assert.equal(archive[at + nameSize - 1], 0);
    at += nameSize;
    align();
    const bytes = archive.subarray(at, at + size);
    at += size;
    align();
    if (path === 'TRAILER!!!') break;
    assert.deepEqual([uid, gid, mtime], [0, 0, 0]);
    entries.push({ path, mode, bytes });
  }
  assert.equal(at, archive.length, 'nothing behind the trailer');
  return entries;
}

const name = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,11}$/);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

test('what is written is read back, aligned to 4, parents before children', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(path, fc.uint8Array({ maxLength: 40 })), {
        selector: ([p]) => p,
        maxLength: 8,
      }),
      (files) => {
        // A file cannot also be another's folder.
        const usable = files.filter(([p]) => !files.some(([q]) => q.startsWith(`${p}/`)));
        const archive = writeArchive(usable.map(([p, bytes]) => ({ path: p, bytes })));
        assert.equal(archive.length % 4, 0);
        const read = readArchive(archive);
        for (const [p, bytes] of usable) {
          const entry = read.find((candidate) => candidate.path === p);
          assert.deepEqual(entry?.bytes, Buffer.from(bytes));
          assert.equal(entry?.mode, 0o100644);
          const parts = p.split('/');
          for (let depth = 1; depth < parts.length; depth++) {
            const parent = read.findIndex((candidate) => candidate.path === parts.slice(0, depth).join('/'));
            assert.ok(parent >= 0 && parent < read.findIndex((candidate) => candidate.path === p));
            assert.equal(read[parent]?.mode, 0o040755);
          }
        }
        assert.equal(new Set(read.map((entry) => entry.path)).size, read.length, 'no path twice');
      },
    ),
  );
});

test('a path that could leave the root is refused', () => {
  for (const bad of ['/etc/passwd', '../x', 'a/../b', 'a//b', 'a/', ''])
    assert.throws(() => writeArchive([{ path: bad, bytes: Buffer.alloc(0) }]), RangeError, bad);
});
