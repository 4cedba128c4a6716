import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from '../../../torrent/policy/token-bucket.ts';

test('never more than rate, burst and one block', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 10_000_000 }),
      fc.array(fc.nat(50), { maxLength: 200 }),
      (rate, pauses) => {
        const bucket = new TokenBucket(rate, 0);
        let now = 0;
        let taken = 0;
        for (const pause of pauses) {
          now += pause;
          while (bucket.take(16_384, now)) taken += 16_384;
          assert.ok(taken <= (now / 1000) * rate + Math.max(rate * 0.05, 32_768) + 16_384);
        }
      },
    ),
  );
});

test('waiting as long as it says is enough', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 10_000_000 }), (rate) => {
      const bucket = new TokenBucket(rate, 0);
      let now = 0;
      for (let block = 0; block < 20; block++) {
        now += bucket.waitMs(now);
        assert.ok(bucket.take(131_072, now));
      }
    }),
  );
});

test('no limit', () => {
  const bucket = new TokenBucket(0, 0);
  assert.ok(bucket.unlimited);
  assert.equal(bucket.waitMs(0), 0);
  for (let block = 0; block < 1000; block++) assert.ok(bucket.take(1e9, 0));
});
