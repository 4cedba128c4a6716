import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rate } from '../../../torrent/policy/rate.ts';

test('a steady flow is seen from its first sample on', () => {
  const rate = new Rate(0);
  for (let now = 10; now <= 1000; now += 10) rate.add(1000, now);
  assert.ok(Math.abs(rate.bytesPerSecond(1000) - 100_000) < 5000);
});

test('silence halves it every two seconds', () => {
  const rate = new Rate(0);
  for (let now = 10; now <= 10_000; now += 10) rate.add(1000, now);
  const before = rate.bytesPerSecond(10_000);
  assert.ok(Math.abs(rate.bytesPerSecond(12_000) - before / 2) < before * 0.01);
});

test('a burst within a millisecond is not infinite', () => {
  const rate = new Rate(0);
  rate.add(1_000_000, 0);
  assert.equal(rate.bytesPerSecond(0), 0);
  assert.equal(rate.bytesPerSecond(100), 10_000_000);
});
