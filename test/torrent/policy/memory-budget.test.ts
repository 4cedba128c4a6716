import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryBudget } from '../../../torrent/policy/memory-budget.ts';

const MIB = 2 ** 20;

test('half for what arrives, half for what leaves, all of it once nothing arrives', () => {
  assert.deepEqual(memoryBudget(MIB, { limitBytes: 11 * MIB, seeds: false }), {
    active: 6,
    cached: 5,
    cachedWhenComplete: 11,
  });
  assert.equal(memoryBudget(MIB, { limitBytes: 11 * MIB, seeds: true }).cached, 11);
});
test('32 MiB if nobody says, and never fewer than six pieces', () => {
  assert.equal(memoryBudget(MIB, { limitBytes: undefined, seeds: false }).cachedWhenComplete, 32);
  assert.equal(memoryBudget(16 * MIB, { limitBytes: undefined, seeds: false }).cachedWhenComplete, 6);
});
