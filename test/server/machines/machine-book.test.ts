import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TelemetryEvent } from '../../../contract/telemetry.ts';
import { MACHINE_LIMIT, MachineBook } from '../../../server/machines/machine-book.ts';
import { needs } from '../../../server/machines/needed-by.ts';
import { machineStatus } from '../../../server/machines/status.ts';

const mac = '52:54:00:aa:00:06';
const base = { mac, boot: '00112233445566aa', uptime: 1 };
const downloaded = { peers: 70, seeder: 30, webseed: 0 };
const progress = (bytes: number): TelemetryEvent => ({
  ...base,
  ...{ event: 'progress', release: 'lab/1', bytes, total: 100, bytesPerSecond: 5, peers: 2 },
  downloaded,
  uploaded: 9,
});
const macOf = (index: number): string =>
  `02:00:00:${[16, 8, 0].map((shift) => ((index >> shift) & 255).toString(16).padStart(2, '0')).join(':')}`;

test('follows one boot from the script to the handoff', () => {
  const book = new MachineBook();
  book.scriptFetched(mac, '10.0.0.9', 1000);
  assert.equal(machineStatus(book.get(mac)!).boot, null);
  book.apply({ ...base, event: 'phase-start', phase: 'network' }, '10.0.0.9', 2000);
  book.apply(
    { ...base, event: 'phase-end', phase: 'network', ok: false, seconds: 1, detail: '' },
    '10.0.0.9',
    3000,
  );
  book.apply(
    { ...base, event: 'phase-end', phase: 'network', ok: true, seconds: 2.5, detail: '' },
    '10.0.0.9',
    4000,
  );
  book.apply({ ...base, event: 'phase-start', phase: 'swarm' }, '10.0.0.9', 5000);
  book.apply(progress(40), '10.0.0.9', 6000);
  book.apply({ ...base, event: 'error', code: 'no-peer', message: 'Nobody' }, '10.0.0.9', 7000);
  const status = machineStatus(book.get(mac)!);
  assert.equal(
    status.firstSeen,
    '1970-01-01T00:00:01.000Z',
    'the first report belongs to the boot that the script began',
  );
  assert.equal(status.phase, 'swarm');
  assert.deepEqual(status.phases, { network: 3.5 });
  assert.equal(status.progress?.bytes, 40);
  assert.deepEqual(status.downloaded, downloaded);
  assert.deepEqual(status.errors, [{ code: 'no-peer', message: 'Nobody' }]);
  book.apply(
    {
      ...base,
      event: 'handoff',
      strategy: 'pmem',
      release: 'lab/1',
      peakRssBytes: 7,
      downloaded,
      uploaded: 11,
      hashFailures: 3,
    },
    '10.0.0.9',
    8000,
  );
  assert.deepEqual(
    [machineStatus(book.get(mac)!).handoff, machineStatus(book.get(mac)!).hashFailures],
    ['pmem', 3],
  );
});

test('another boot of the same machine begins anew', () => {
  const book = new MachineBook();
  book.apply(progress(40), '10.0.0.9', 1000);
  book.apply({ ...base, boot: 'ffffffffffffffff', event: 'phase-start', phase: 'network' }, '10.0.0.9', 9000);
  assert.equal(book.get(mac)?.progress, undefined);
  assert.equal(book.get(mac)?.firstSeenMs, 9000);
  book.apply(progress(50), '10.0.0.9', 9500);
  book.scriptFetched(mac, '10.0.0.9', 10_000);
  assert.equal(book.get(mac)?.boot, undefined, 'a machine that fetches its script has rebooted');
});

test('the memory map that a machine told of outlives its boots', () => {
  const book = new MachineBook();
  const machine = { event: 'machine', arch: 'amd64', memoryBytes: 1, firmware: 'bios' } as const;
  book.apply({ ...base, ...machine, memmap: [[0, 99]] }, '10.0.0.9', 1000);
  book.scriptFetched(mac, '10.0.0.9', 2000);
  assert.equal(book.get(mac)?.machine, undefined);
  assert.deepEqual(book.get(mac)?.ram, [[0, 99]]);
  book.apply({ ...base, ...machine, boot: 'f'.repeat(16), memmap: [[0, 199]] }, '10.0.0.9', 3000);
  assert.deepEqual(book.get(mac)?.ram, [[0, 199]]);
});

test('memory is bounded in machines, in errors, and for each sender', () => {
  const book = new MachineBook();
  for (let index = 0; index < MACHINE_LIMIT + 500; index++) {
    book.scriptFetched(macOf(index), `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, index);
  }
  assert.equal(book.list().length, MACHINE_LIMIT);
  assert.equal(book.get(macOf(0)), undefined, 'the one that was silent longest made room');
  assert.ok(book.get(macOf(MACHINE_LIMIT + 499)));

  const crowd = new MachineBook();
  crowd.scriptFetched(mac, '10.0.0.9', 0);
  for (let index = 0; index < 3000; index++) crowd.scriptFetched(macOf(index), '10.0.0.66', index);
  assert.ok(crowd.list().length <= 257, 'one sender cannot fill the book');
  assert.ok(crowd.get(mac), 'nor push out another');

  for (let index = 0; index < 1000; index++)
    book.apply({ ...base, event: 'error', code: 'x', message: String(index) }, '10.0.0.9', index);
  assert.equal(book.get(mac)?.errors.length, 16);
  assert.equal(book.get(mac)?.errors.at(-1)?.message, '999');
});

test('a machine that seeds from its real system keeps its boot, and is needed by nobody', () => {
  const book = new MachineBook();
  book.apply(progress(40), '10.0.0.9', 1000);
  assert.equal(machineStatus(book.get(mac)!).seeding, null);
  const told = {
    ...{ release: 'lab-1', pieces: 10, pieceCount: 10, peers: 3, uploaded: 500, bytesPerSecond: 7 },
    ...{ limitBytesPerSecond: 100, withdrawn: 0 },
  };
  book.apply({ ...base, uptime: 20, event: 'seeding', ...told }, '10.0.0.9', 9000);
  const status = machineStatus(book.get(mac)!);
  assert.deepEqual(status.seeding, { ...told, reported: '1970-01-01T00:00:09.000Z' });
  assert.equal(status.boot, base.boot);
  assert.equal(status.progress?.bytes, 40);
  assert.ok(!needs(book.get(mac)!, undefined, 9000));
});
