import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { INTERVAL_DEFAULT_MS, intervalMs, retryMs } from '../../torrent/tracker-schedule.ts';

suite('tracker-schedule', () => {
  test('intervals are clamped to 5 to 300 s, whatever is asked for', () => {
    assert.deepEqual(
      [1, 5_000, 60_000, 300_000, 9_999_999_999_000].map(intervalMs),
      [5_000, 5_000, 60_000, 300_000, 300_000],
    );
    assert.deepEqual([undefined, 0, -1, Number.NaN].map(intervalMs), Array(4).fill(INTERVAL_DEFAULT_MS));
    assert.equal(intervalMs(Number.POSITIVE_INFINITY), 300_000);
  });

  test('retries wait 1, 2, 4 … 60 s, each with a quarter of jitter', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => retryMs(failures, () => 0.5)),
      [1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1000),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, random) => {
          const wait = retryMs(failures, () => random);
          const nominal = Math.min(60_000, 1000 * 2 ** Math.min(failures - 1, 16));
          assert.ok(wait >= nominal * 0.75 && wait <= Math.min(60_000, nominal * 1.25));
        },
      ),
    );
  });
});
