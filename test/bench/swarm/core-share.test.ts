import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CpuSample, middleCoreShare } from '../../../bench/swarm/core-share.ts';

/** Ten seconds: a full core for the first two and the last two, a tenth between. */
const samples: readonly CpuSample[] = Array.from({ length: 41 }, (_, index) => {
  const seconds = index / 4;
  const busy = Math.min(seconds, 2) + Math.max(0, seconds - 8);
  return { ms: 1000 + seconds * 1000, cpuSeconds: busy + (seconds - busy) / 10 };
});

test('start and end do not count', () => {
  const share = middleCoreShare(samples, 1000, 11_000);
  assert(share !== undefined && Math.abs(share - 0.1) < 1e-9, String(share));
});

test('what is too short, or was not looked at, has no middle', () => {
  assert.equal(middleCoreShare(samples, 1000, 3000), undefined);
  assert.equal(middleCoreShare([], 1000, 11_000), undefined);
});
