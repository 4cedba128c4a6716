import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CPIO_LIMIT_BYTES,
  CPIO_ROOT_PATH,
  type CpioLayout,
  cpioLayout,
} from '../../../agent/handoff/cpio-layout.ts';
import { readCpio } from '../../contract/read-cpio.ts';

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
        // Where the kernel looks for it: at the next multiple of four.
        const start = Math.ceil(initrdBytes / 4) * 4;
        assert.ok(file.subarray(initrdBytes, start).every((byte) => byte === 0));
        const archive = readCpio(file.subarray(start));
        assert.equal(start + archive.length, file.length);
        assert.deepEqual(
          archive.members.map(({ path, mode, data }) => ({ path, mode, data })),
          [
            { path: 'swarmboot', mode: 0o040755, data: Buffer.alloc(0) },
            { path: CPIO_ROOT_PATH, mode: 0o100444, data: root },
          ],
        );
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
