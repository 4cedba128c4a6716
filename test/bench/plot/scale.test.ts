import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { linearScale, logScale, niceTicks } from '../../../bench/plot/scale.ts';

test('ticks are round numbers', () => {
  assert.deepEqual(niceTicks(0, 2.1, 6), [0, 0.5, 1, 1.5, 2]);
  assert.deepEqual(niceTicks(0, 47, 6), [0, 10, 20, 30, 40]);
  assert.deepEqual(niceTicks(0.95, 1.15, 4), [0.95, 1, 1.05, 1.1, 1.15]);
});

test('ticks lie within, in order, and are neither many nor few', () => {
  const range = fc.record({
    least: fc.double({ min: 0, max: 1e6, noNaN: true }),
    size: fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
  });
  fc.assert(
    fc.property(range, fc.integer({ min: 3, max: 12 }), ({ least, size }, about) => {
      const most = least + size;
      const ticks = niceTicks(least, most, about);
      const slack = size * 1e-6;
      assert(ticks.every((tick) => tick >= least - slack && tick <= most + slack));
      assert(ticks.every((tick, index) => index === 0 || tick > (ticks[index - 1] ?? 0)));
      assert(ticks.length >= 1 && ticks.length <= about + 2, `${ticks.length} of ${about}`);
    }),
  );
});

test('a scale puts the ends at the ends', () => {
  const linear = linearScale([0, 10], [100, 0]);
  assert.deepEqual([linear.at(0), linear.at(5), linear.at(10)], [100, 50, 0]);
  const log = logScale([1, 10_000], [0, 400], [1, 100, 10_000]);
  assert.deepEqual(
    [1, 100, 10_000].map((value) => Math.round(log.at(value))),
    [0, 200, 400],
  );
});
