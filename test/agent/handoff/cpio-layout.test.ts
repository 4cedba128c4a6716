import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CPIO_LIMIT_BYTES,
  CPIO_ROOT_PATH,
  type CpioLayout,
  cpioLayout,
} from '../../../agent/handoff/cpio-layout.ts';
import { readNewc } from './newc-reader.ts';

/** The file as the swarm leaves it. */
function assemble(layout: CpioLayout, initrd: Buffer, root: Buffer): Buffer {
  const file = Buffer.alloc(layout.lengthBytes, 0xee);
  for (const { offset, bytes } of layout.literals) bytes.copy(file, offset);
  initrd.copy(file, layout.initrdOffset);
  root.copy(file, layout.rootOffset);
  return file;
}

test('an archive behind any initrd holds the root image, and every byte has one owner', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3000 }),
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      (initrdBytes, data) => {
        const root = Buffer.from(data);
        const layout = cpioLayout(initrdBytes, root.length);
        assert.ok(layout);
        const file = assemble(layout, Buffer.alloc(initrdBytes, 0xfd), root);
        const { entries, end } = readNewc(file, initrdBytes);
        assert.equal(end, file.length);
        assert.deepEqual(
          entries.map(({ name, mode, length }) => ({ name, mode, length })),
          [
            { name: 'swarmboot', mode: 0o040755, length: 0 },
            { name: CPIO_ROOT_PATH, mode: 0o100444, length: root.length },
          ],
        );
        const at = entries[1]?.dataOffset ?? -1;
        assert.equal(at, layout.rootOffset);
        assert.deepEqual(file.subarray(at, at + root.length), root);
        const [head, tail] = layout.literals;
        assert.ok(head && tail);
        assert.equal(head.offset, initrdBytes);
        assert.equal(head.offset + head.bytes.length, layout.rootOffset);
        assert.equal(tail.offset, layout.rootOffset + root.length);
        assert.equal(tail.offset + tail.bytes.length, layout.lengthBytes);
      },
    ),
  );
});

test('what does not stay below 4 GiB has no layout', () => {
  assert.equal(cpioLayout(1, CPIO_LIMIT_BYTES), undefined);
  assert.equal(cpioLayout(30_000_000, CPIO_LIMIT_BYTES - 30_000_000), undefined);
  const largest = cpioLayout(4, CPIO_LIMIT_BYTES - 4096);
  assert.ok(largest && largest.lengthBytes < CPIO_LIMIT_BYTES);
});
