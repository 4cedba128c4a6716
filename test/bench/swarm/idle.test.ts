import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuTicks, cpuTicksNow, idleShare } from '../../../bench/swarm/idle.ts';

test('idle and waiting for a disk is what nobody wanted', () => {
  const ticks = cpuTicks('cpu  10 1 20 60 5 1 2 1 0 0\ncpu0 5 0 10 30 2 0 1 0 0 0\n');
  assert.deepEqual(ticks, { idle: 65, all: 100 });
  assert.equal(idleShare({ idle: 0, all: 0 }, ticks), 0.65);
  assert.equal(idleShare(ticks, ticks), 1);
});

test('this kernel has these fields', () => {
  const { idle, all } = cpuTicksNow();
  assert(idle > 0 && all > idle);
});
