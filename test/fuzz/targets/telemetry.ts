/** contract/telemetry.ts and the machine book: bounded, whatever machines say of themselves; the status can be written. */
import assert from 'node:assert/strict';
import { parseTelemetry, TELEMETRY_LIMIT_EVENTS } from '../../../contract/telemetry.ts';
import { MACHINE_LIMIT, MachineBook } from '../../../server/machines/machine-book.ts';
import { neededBy } from '../../../server/machines/needed-by.ts';
import { machineStatus } from '../../../server/machines/status.ts';
import type { Target } from '../target.ts';

const base = '"mac":"52:54:00:12:34:56","boot":"0123456789abcdef","uptime":1.5';
const downloaded = '"downloaded":{"peers":1,"seeder":2,"webseed":3}';

export const makeTarget = (): Target => ({
  sources: ['contract/telemetry.ts', 'server/machines/'],
  seeds: [
    `{${base},"event":"phase-start","phase":"network"}\n{${base},"event":"phase-end","phase":"network","ok":true,"seconds":2,"detail":"eth0"}\n`,
    `{${base},"event":"progress","release":"lab/1","bytes":5,"total":10,"bytesPerSecond":1,"peers":2,${downloaded},"uploaded":4}`,
    `{${base},"event":"machine","arch":"amd64","memoryBytes":1000,"firmware":"bios","memmap":[[0,4095]]}`,
    `{${base},"event":"handoff","strategy":"pmem","release":"lab/1","peakRssBytes":1,${downloaded},"uploaded":4,"hashFailures":0}`,
    `{${base},"event":"error","code":"x","message":"y"}`,
  ].map((text) => Buffer.from(text)),
  dictionary: [
    '\n',
    '{',
    '}',
    `{${base},"event":"`,
    '"phase":"swarm"',
    '"__proto__":{',
    '1e308',
    '-1',
    'null',
    '[',
    ']',
    '"',
    ',',
    ':',
    '52:54:00:12:34:57',
  ],
  run(input) {
    const { events, rejected } = parseTelemetry(input.toString('utf8'));
    assert.ok(events.length + rejected <= TELEMETRY_LIMIT_EVENTS);
    const book = new MachineBook();
    let now = 0;
    for (const event of events) book.apply(event, '10.0.0.9', now++);
    assert.ok(book.list().length <= MACHINE_LIMIT);
    for (const record of book.list()) {
      assert.ok(record.errors.length <= 16);
      const status = JSON.parse(JSON.stringify(machineStatus(record)));
      assert.equal(status.mac, record.mac);
      assert.ok(neededBy(book.values(), record.mac, record.progress?.release, now) >= 0);
    }
    return `${events
      .map(({ event }) => event)
      .sort()
      .slice(0, 2)} ${rejected > 0}`;
  },
});
