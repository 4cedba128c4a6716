import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { regionMebibytes, regionParameters } from '../../../server/netboot/memory-region.ts';

const MIB = 1024 * 1024;

test('the region holds the image with room to spare, and is even', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 * 1024 * MIB }), (bytes) => {
      const size = regionMebibytes(bytes);
      assert.equal(size % 2, 0);
      assert.ok(size * MIB >= bytes + 4 * MIB);
      assert.ok(size * MIB <= bytes + 7 * MIB);
    }),
  );
});

test('an image that may not fit below the hole under 4 GiB gets a second region above it', () => {
  assert.deepEqual(regionParameters(150 * MIB), ['nokaslr', 'memmap=154M%640M-1+12']);
  assert.deepEqual(regionParameters(2000 * MIB), [
    'nokaslr',
    'memmap=2004M%640M-1+12',
    'memmap=2004M%4G-1+12',
  ]);
});
