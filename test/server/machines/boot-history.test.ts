import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TelemetryEvent } from '../../../contract/telemetry.ts';
import { HISTORY_LIMIT } from '../../../server/machines/boot-history.ts';
import { openSite } from '../../../server/site.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const site = openSite(temporaryFolder('history'));
after(() => site.close());
const mac = '52:54:00:aa:00:06';
site.machines.seen(mac, '10.0.0.9', 'amd64', 1);
const base = { mac, uptime: 1 };
const started = (boot: string): TelemetryEvent => ({ ...base, boot, event: 'phase-start', phase: 'network' });
const failed = (boot: string): TelemetryEvent => ({
  ...base,
  boot,
  event: 'error',
  code: 'no-peer',
  message: 'Nobody',
});

test('scripts before a report are tries of one boot; the report belongs to it; the end is noted', () => {
  site.boots.begun(mac, undefined, 'no image', 1000);
  site.boots.begun(mac, 'lab/1', 'the default', 2000);
  site.boots.apply(started('00112233445566aa'), 3000);
  site.boots.apply(failed('00112233445566aa'), 4000);
  assert.deepEqual(site.boots.list(mac), [
    {
      ...{ startedMs: 2000, tries: 2, boot: '00112233445566aa', release: 'lab/1', reason: 'the default' },
      ...{ outcome: 'error', detail: 'no-peer: Nobody', endedMs: 4000 },
    },
  ]);
});

test('a report of a boot that had no script of ours is a boot of its own', () => {
  site.boots.apply(started('ffffffffffffffff'), 5000);
  const [latest] = site.boots.list(mac);
  assert.deepEqual([latest?.boot, latest?.reason], ['ffffffffffffffff', 'its script is not from here']);
});

test('only the last boots are kept', () => {
  for (let index = 0; index < 100; index++) {
    site.boots.begun(mac, `lab/${index}`, 'the default', 6000 + index);
    site.boots.apply(started(index.toString(16).padStart(16, '0')), 6000 + index);
  }
  const boots = site.boots.list(mac, 1000);
  assert.equal(boots.length, HISTORY_LIMIT);
  assert.equal(boots[0]?.release, 'lab/99');
});
