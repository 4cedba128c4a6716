import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoundFigures } from '../../../bench/swarm/figures.ts';
import { formatSwarmTable, makeRun, mergeRuns, type RunSetting } from '../../../bench/swarm/report.ts';

const setting = (engine: string, more: Partial<RunSetting> = {}): RunSetting => ({
  engine,
  clients: 8,
  sizeBytes: 2 ** 28,
  rateBitsPerSecond: 50e6,
  arrivals: 'all',
  origin: engine,
  leavers: false,
  straggler: false,
  ...more,
});

const figures = (lastRatio: number): RoundFigures => ({
  firstSeconds: 40,
  medianSeconds: 44,
  lastSeconds: lastRatio * 45,
  lastRatio,
  serverWireRatio: 1.1,
  usefulShare: 0.9,
  idleShare: 0.5,
});

test('a run has the medians, the worst, and every round', () => {
  const run = makeRun(setting('ours'), [1.1, 1.05, 1.2].map(figures), [], undefined);
  assert.equal(run.lastRatio, 1.1);
  assert.equal(run.worstLastRatio, 1.2);
  assert.equal(run.seconds, run.lastSeconds);
  assert.equal(run.rounds.length, 3);
  assert(Math.abs(run.boundSeconds - 44.9) < 0.01);
});

test('an engine that always failed is a gap with its reasons', () => {
  const run = makeRun(setting('aria2'), [], ['it gave up', 'it gave up'], 'a peer');
  assert.equal(run.lastRatio, undefined);
  const [, row = ''] = formatSwarmTable([run]).split('\n');
  assert.match(row, /^aria2 .* - .* 0\/2 {2}a peer; it gave up$/);
});

test('rounds of the same setting are joined, others stand beside', () => {
  const earlier = [makeRun(setting('ours'), [figures(1)], [], undefined)];
  const later = [
    makeRun(setting('ours'), [figures(1.5)], ['stuck'], undefined),
    makeRun(setting('ours', { origin: 'http' }), [figures(2)], [], undefined),
  ];
  const merged = mergeRuns(earlier, later);
  assert.equal(merged.length, 2);
  assert.deepEqual(
    merged.map((run) => run.rounds.map(({ lastRatio }) => lastRatio)),
    [[1, 1.5], [2]],
  );
  assert.equal(merged[0]?.lastRatio, 1.25);
  assert.deepEqual(merged[0]?.failures, ['stuck']);
  assert.equal(merged[0]?.origin, 'ours');
});
