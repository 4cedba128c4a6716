import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TelemetryEvent } from '../../../contract/telemetry.ts';
import { MachineBook } from '../../../server/machines/machine-book.ts';
import { neededBy } from '../../../server/machines/needed-by.ts';

const me = '02:00:00:00:00:01';
const other = '02:00:00:00:00:02';
const boot = '00112233445566aa';
const nothing = { peers: 0, seeder: 0, webseed: 0 };
const base = { mac: other, boot, uptime: 1 };
const progress = (bytes: number, release = 'lab/1'): TelemetryEvent => ({
  ...base,
  ...{ event: 'progress', release, bytes, total: 100, bytesPerSecond: 5, peers: 2 },
  downloaded: nothing,
  uploaded: 0,
});
const count = (
  events: readonly TelemetryEvent[],
  nowMs: number,
  release: string | undefined = 'lab/1',
): number => {
  const book = new MachineBook();
  for (const event of events) book.apply(event, '10.0.0.2', 0);
  return neededBy(book.values(), me, release, nowMs);
};
const start = (phase: 'network' | 'swarm' | 'linger'): TelemetryEvent => ({
  ...base,
  event: 'phase-start',
  phase,
});

test('a machine that downloads the same release needs it, until it is complete, silent or handed off', () => {
  assert.equal(count([progress(40)], 14_000), 1);
  assert.equal(count([progress(40)], 16_000), 0, 'silent for 16 seconds');
  assert.equal(count([progress(100)], 1000), 0, 'complete');
  assert.equal(count([progress(40, 'lab/2')], 1000), 0, 'another release');
  const handoff: TelemetryEvent = {
    ...base,
    ...{ event: 'handoff', strategy: 'pmem', release: 'lab/1', peakRssBytes: 1, downloaded: nothing },
    ...{ uploaded: 0, hashFailures: 0 },
  };
  assert.equal(count([progress(40), handoff], 1000), 0);
});

test('a machine on its way to the download counts for a minute', () => {
  assert.equal(count([start('network')], 59_000), 1);
  assert.equal(count([start('network')], 61_000), 0);
  assert.equal(count([start('swarm')], 1000), 1);
  assert.equal(count([start('linger')], 1000), 0);
  const ended: TelemetryEvent = {
    ...base,
    event: 'phase-end',
    phase: 'swarm',
    ok: true,
    seconds: 1,
    detail: '',
  };
  assert.equal(count([start('swarm'), ended], 1000), 0);
});

test('a machine never waits for itself; one that fetched its script counts', () => {
  const book = new MachineBook();
  book.apply({ ...progress(40), mac: me }, '10.0.0.1', 0);
  assert.equal(neededBy(book.values(), me, 'lab/1', 1000), 0);
  book.scriptFetched(other, '10.0.0.2', 0);
  assert.equal(neededBy(book.values(), me, 'lab/1', 1000), 1);
  assert.equal(neededBy(book.values(), me, 'lab/1', 61_000), 0);
});
