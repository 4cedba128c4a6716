import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RETAIN_LIMIT_BYTES, retainLayout } from '../../../agent/handoff/retain-layout.ts';

test('the root begins on a page behind the initrd and ends the file', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.integer({ min: 1, max: 2 ** 31 - 2 ** 20 }),
      (initrd, root) => {
        const layout = retainLayout(initrd, root);
        assert.ok(layout);
        assert.equal(layout.rootOffset % 4096, 0);
        const { offset, lengthBytes } = layout.room;
        assert.ok(offset >= initrd && offset < initrd + 4 && offset % 4 === 0);
        assert.equal(offset + lengthBytes, layout.rootOffset);
        // v1 and v2 hashes of each piece of 1 MiB, and text.
        assert.ok(lengthBytes > 200_000 + Math.ceil(root / 2 ** 20) * 60);
        assert.equal(layout.lengthBytes, layout.rootOffset + root);
      },
    ),
  );
});

test('what does not stay below 4 GiB has no layout', () => {
  assert.equal(retainLayout(1, RETAIN_LIMIT_BYTES - 2 ** 19), undefined);
  assert.ok(retainLayout(1, RETAIN_LIMIT_BYTES - 2 ** 20));
});
