import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type RamRange,
  type RegionContents,
  regionMebibytes,
  regionOn,
  regionParameters,
} from '../../../server/netboot/memory-region.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const alone = (root: number): RegionContents => ({ root, behind: 0 });
const withKernel = (root: number): RegionContents => ({ root, behind: 24 * MIB });

test('each part holds what is in it, a page more for each file behind the root, and is even', () => {
  const bytes = fc.integer({ min: 1, max: 16 * GIB });
  fc.assert(
    fc.property(bytes, bytes, (root, behind) => {
      const size = regionMebibytes({ root, behind });
      for (const [part, least] of [
        [size.root, root],
        [size.behind, behind + 3 * 4096],
      ] as const) {
        assert.equal(part % 2, 0);
        assert.ok(part * MIB >= least && part * MIB < least + 3 * MIB);
      }
    }),
  );
  assert.deepEqual(regionMebibytes(alone(4 * MIB)), { root: 4, behind: 0 });
});

test('a strange machine: the root has a region of its own, whole even where the RAM ends behind it', () => {
  assert.deepEqual(regionParameters(alone(150 * MIB)), ['nokaslr', 'memmap=150M%312M-1+12']);
  assert.deepEqual(regionParameters(withKernel(403 * MIB)), [
    'nokaslr',
    'memmap=404M%312M-1+12',
    'memmap=26M%716M-1+12',
  ]);
});

test('an image that may not fit below the hole under 4 GiB gets a second region above it', () => {
  assert.deepEqual(regionParameters(withKernel(2000 * MIB)), [
    'nokaslr',
    'memmap=2000M%312M-1+12',
    'memmap=26M%2312M-1+12',
    'memmap=2000M%4096M-1+12',
    'memmap=26M%6096M-1+12',
  ]);
});

test('regions never share RAM: what the first has above 4 GiB would be missing at the start of the second', () => {
  const largest = (4096 - 312 - 26) * MIB;
  assert.equal(regionParameters(withKernel(largest))[1], 'memmap=3758M%312M-1+12');
  assert.deepEqual(regionParameters(withKernel(largest + 1)), [
    'nokaslr',
    'memmap=3760M%4096M-1+12',
    'memmap=26M%7856M-1+12',
  ]);
});

const EIGHT_GIB: RamRange[] = [
  [0, 0x9fbff],
  [MIB, 2 * GIB - 1],
  [4 * GIB, 10 * GIB - 1],
];

test('a machine that told its memory map gets one region, at the end of the highest RAM that holds it', () => {
  assert.deepEqual(regionParameters(withKernel(150 * MIB), EIGHT_GIB), [
    'nokaslr',
    'memmap=176M%10064M-1+12',
  ]);
  assert.deepEqual(regionParameters(alone(5 * GIB), EIGHT_GIB), ['nokaslr', 'memmap=5120M%5120M-1+12']);
  // Only below 4 GiB.
  assert.deepEqual(regionParameters(alone(1500 * MIB), EIGHT_GIB.slice(0, 2)), [
    'nokaslr',
    'memmap=1500M%548M-1+12',
  ]);
});

test('where stage-1 would lack it, nothing is kept behind the root', () => {
  const ram = (mebibytes: number): RamRange[] => [[MIB, mebibytes * MIB - 1 - 128 * 1024]];
  const parameters = (mebibytes: number) => regionParameters(withKernel(403 * MIB), ram(mebibytes));
  assert.deepEqual(parameters(744), ['nokaslr', 'memmap=430M%312M-1+12']);
  assert.deepEqual(parameters(742), ['nokaslr', 'memmap=404M%336M-1+12']);
  assert.deepEqual(parameters(662), ['nokaslr', 'memmap=404M%256M-1+12']);
  assert.deepEqual(parameters(660), regionParameters(withKernel(403 * MIB)));
});

test('fragments: the highest that is large enough, its end rounded down to 2 MiB', () => {
  const fragments: RamRange[] = [
    [MIB, 700 * MIB - 1],
    [800 * MIB, 1300 * MIB + 12_345],
    [1400 * MIB, 1500 * MIB - 1],
  ];
  assert.deepEqual(regionParameters(alone(400 * MIB), fragments), ['nokaslr', 'memmap=400M%900M-1+12']);
});

test('a machine whose map holds no region is treated as one that was never seen', () => {
  const large = alone(6 * GIB + 1);
  assert.deepEqual(regionParameters(large, EIGHT_GIB), regionParameters(large));
  // Stage-1 would not have enough left.
  const small = alone(300 * MIB);
  assert.deepEqual(regionParameters(small, [[0, 512 * MIB - 1]]), regionParameters(small));
});

test('whatever map is told, the region is RAM of it and leaves stage-1 its part', () => {
  const edge = fc.integer({ min: 0, max: 2 ** 43 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(edge, edge), { maxLength: 64 }),
      fc.integer({ min: 1, max: 16 * GIB }),
      fc.integer({ min: 0, max: 100 * MIB }),
      (ram, root, behind) => {
        const region = regionOn({ root, behind }, ram);
        if (!region) return;
        assert.equal(region.start % (2 * MIB), 0);
        assert.ok(region.start >= 256 * MIB && region.length >= root);
        assert.ok(
          ram.some(([first, last]) => first <= region.start && region.start + region.length - 1 <= last),
        );
      },
    ),
  );
});
