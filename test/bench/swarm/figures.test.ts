import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boundSeconds,
  figuresOf,
  type MachineResult,
  medianFigures,
  type RoundResult,
} from '../../../bench/swarm/figures.ts';

/** A second of 8 Mbit/s, headers counted: bound and seconds are easy to see. */
const RATE = 8e6;
const SIZE = (1e6 * 1448) / 1514;

const machine = (startedMs: number, doneMs?: number, more: Partial<MachineResult> = {}): MachineResult => ({
  startedMs,
  ...(doneMs === undefined ? {} : { doneMs }),
  wireBytes: 1e6,
  ...more,
});

const round = (machines: readonly MachineResult[], more: Partial<RoundResult> = {}): RoundResult => ({
  sizeBytes: SIZE,
  rateBitsPerSecond: RATE,
  staggered: false,
  machines,
  server: { wireBytes: 1.2e6, sentBytes: SIZE * 1.1, cpuSeconds: 0.5 },
  idleShare: 0.4,
  ...more,
});

test('the bound is one image through one link, headers counted', () => {
  assert.equal(boundSeconds(SIZE, RATE), 1);
  assert(Math.abs(boundSeconds(1448, 1514 * 8) - 1) < 1e-12);
});

test('all at once: everything counts from the start of the last machine', () => {
  const figures = figuresOf(round([machine(100, 2200), machine(200, 1700), machine(0, 1450)]));
  assert.equal(figures.firstSeconds, 1.25);
  assert.equal(figures.medianSeconds, 1.5);
  assert.equal(figures.lastSeconds, 2);
  assert.equal(figures.lastRatio, 2);
});

test('staggered: each machine counts from its own start', () => {
  const figures = figuresOf(round([machine(0, 3000), machine(1000, 2000)], { staggered: true }));
  assert.deepEqual([figures.firstSeconds, figures.lastSeconds, figures.lastRatio], [1, 3, 3]);
});

test('what machines take of a core is their mean, of those that had a middle', () => {
  const shares = [{ coreShare: 0.2 }, { coreShare: 0.4 }, {}].map((more) => machine(0, 2000, more));
  assert(Math.abs(figuresOf(round(shares)).leecherCoreShare! - 0.3) < 1e-12);
  assert(!('leecherCoreShare' in figuresOf(round([machine(0, 2000)]))));
});

test('who left or was not waited for counts in nothing but the bytes on the wire', () => {
  const figures = figuresOf(
    round([machine(0, 2000, { cpuSeconds: 2, peakRssBytes: 7 }), machine(0, undefined, { wireBytes: 1e6 })]),
  );
  assert.equal(figures.lastSeconds, 2);
  assert.equal(figures.leecherCpuSeconds, 2);
  assert.equal(figures.peakRssBytes, 7);
  assert.equal(figures.usefulShare, SIZE / 2e6);
  assert.throws(() => figuresOf(round([machine(0)])), /No machine has finished/);
});

test("the server's share is in images, as its program counts and as the wire does", () => {
  const figures = figuresOf(round([machine(0, 1000)]));
  assert(Math.abs((figures.serverPayloadRatio ?? 0) - 1.1) < 1e-9);
  assert.equal(figures.serverWireRatio, 1.2e6 / SIZE);
  const silent = figuresOf(round([machine(0, 1000)], { server: { wireBytes: 1 } }));
  assert(!('serverPayloadRatio' in silent));
  assert(!('seederCpuSeconds' in silent));
});

test('a median is taken over the rounds that have the figure', () => {
  const one = figuresOf(round([machine(0, 1000)]));
  const two = figuresOf(round([machine(0, 3000)], { server: { wireBytes: 1 } }));
  const medians = medianFigures([one, two]);
  assert.equal(medians.lastSeconds, 2);
  assert.equal(medians.seederCpuSeconds, 0.5);
  assert(!('peakRssBytes' in medians));
  assert.throws(() => medianFigures([]));
});
