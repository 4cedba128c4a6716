import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type RamRange,
  regionMebibytes,
  regionParameters,
  regionStart,
} from '../../../server/netboot/memory-region.ts';

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
  assert.deepEqual(regionParameters(150 * MIB), ['nokaslr', 'memmap=154M%312M-1+12']);
  assert.deepEqual(regionParameters(2000 * MIB), [
    'nokaslr',
    'memmap=2004M%312M-1+12',
    'memmap=2004M%4G-1+12',
  ]);
});

test('two regions never share RAM: what the first has above 4 GiB would be missing at the start of the second', () => {
  const largest = (4096 - 312 - 4) * MIB;
  assert.deepEqual(regionParameters(largest), ['nokaslr', 'memmap=3784M%312M-1+12', 'memmap=3784M%4G-1+12']);
  assert.deepEqual(regionParameters(largest + 1), ['nokaslr', 'memmap=3786M%4G-1+12']);
});

const GIB = 1024 * MIB;
const EIGHT_GIB: RamRange[] = [
  [0, 0x9fbff],
  [MIB, 2 * GIB - 1],
  [4 * GIB, 10 * GIB - 1],
];

test('a machine that told its memory map gets one region, at the end of the highest RAM that holds it', () => {
  assert.deepEqual(regionParameters(150 * MIB, EIGHT_GIB), ['nokaslr', 'memmap=154M%10086M-1+12']);
  assert.deepEqual(regionParameters(5 * GIB, EIGHT_GIB), ['nokaslr', 'memmap=5124M%5116M-1+12']);
  // Only below 4 GiB.
  assert.deepEqual(regionParameters(1500 * MIB, EIGHT_GIB.slice(0, 2)), [
    'nokaslr',
    'memmap=1504M%544M-1+12',
  ]);
});

test('fragments: the highest that is large enough, its end rounded down to 2 MiB', () => {
  const fragments: RamRange[] = [
    [MIB, 700 * MIB - 1],
    [800 * MIB, 1300 * MIB + 12_345],
    [1400 * MIB, 1500 * MIB - 1],
  ];
  assert.deepEqual(regionParameters(400 * MIB, fragments), ['nokaslr', 'memmap=404M%896M-1+12']);
});

test('a machine whose map holds no region is treated as one that was never seen', () => {
  assert.deepEqual(regionParameters(6 * GIB, EIGHT_GIB), regionParameters(6 * GIB));
  // Stage-1 would not have enough left.
  assert.deepEqual(regionParameters(300 * MIB, [[0, 512 * MIB - 1]]), regionParameters(300 * MIB));
});

test('whatever map is told, the region is RAM of it and leaves stage-1 its part', () => {
  const edge = fc.integer({ min: 0, max: 2 ** 43 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(edge, edge), { maxLength: 64 }),
      fc.integer({ min: 1, max: 16 * GIB }),
      (ram, bytes) => {
        const start = regionStart(bytes, ram);
        if (start === undefined) return;
        assert.equal(start % (2 * MIB), 0);
        assert.ok(start >= 256 * MIB);
        const end = start + regionMebibytes(bytes) * MIB - 1;
        assert.ok(ram.some(([first, last]) => first <= start && end <= last));
      },
    ),
  );
});
