import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planSeeding, RETIRE_AFTER_MS } from '../../../server/seeder/seeding-plan.ts';

test('images take ports counting up, the first one the first', () => {
  const { start, stop } = planSeeding([], ['lab/1', 'office/1'], 6881, 0);
  assert.deepEqual(start, [
    { key: 'lab/1', port: 6881 },
    { key: 'office/1', port: 6882 },
  ]);
  assert.deepEqual(stop, []);
});

test('a replaced release goes on for a while beside its successor, then its port is free', () => {
  const first = planSeeding([], ['lab/1'], 6881, 0).running;
  const second = planSeeding(first, ['lab/2'], 6881, 1000);
  assert.deepEqual(second.start, [{ key: 'lab/2', port: 6882 }]);
  assert.deepEqual(second.stop, []);
  assert.deepEqual(planSeeding(second.running, ['lab/2'], 6881, 1000 + RETIRE_AFTER_MS - 1).stop, []);
  const third = planSeeding(second.running, ['lab/2'], 6881, 1000 + RETIRE_AFTER_MS);
  assert.deepEqual(third.stop, ['lab/1']);
  assert.deepEqual(planSeeding(third.running, ['lab/3'], 6881, 1e9).start, [{ key: 'lab/3', port: 6881 }]);
});

test('a release that comes back is no longer retired', () => {
  const first = planSeeding([], ['lab/1'], 6881, 0).running;
  const second = planSeeding(first, ['lab/2'], 6881, 1000).running;
  const back = planSeeding(second, ['lab/1'], 6881, 2000);
  assert.deepEqual(back.start, []);
  assert.deepEqual(planSeeding(back.running, ['lab/1'], 6881, 1e9).stop, ['lab/2']);
});

test('port 0 leaves the choice to the system, for every image', () => {
  assert.deepEqual(
    planSeeding([], ['a/1', 'b/1'], 0, 0).start.map(({ port }) => port),
    [0, 0],
  );
});
