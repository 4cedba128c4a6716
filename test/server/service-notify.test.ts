/** With a stand-in for systemd-notify(1) on PATH: systemd itself is met in the package's test. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServiceNotifier, watchdogInterval } from '../../server/service-notify.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder('notify');
const log = join(folder, 'log');
writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >>${log}\n`, {
  mode: 0o755,
});
const systemd = { PATH: `${folder}:/usr/bin:/bin`, NOTIFY_SOCKET: '/run/notify' };

async function logged(count: number): Promise<string[]> {
  for (let tries = 0; tries < 500; tries++) {
    const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    if (lines.length >= count) return lines;
    await sleep(10);
  }
  throw new Error(`systemd-notify was not called ${count} times`);
}

test('ready, signs of life while the server answers, stopping', async () => {
  let alive = true;
  const warnings: string[] = [];
  const notifier = createServiceNotifier(
    { ...systemd, WATCHDOG_USEC: '60000', WATCHDOG_PID: String(process.pid) },
    async () => alive,
    (message) => warnings.push(message),
  );
  // The interval alone does not keep a process running; here something must.
  const busy = setInterval(() => {}, 1000);
  notifier.ready('serving 1 image');
  await logged(3);
  alive = false;
  while (warnings.length === 0) await sleep(5);
  notifier.close();
  notifier.stopping();
  let lines = await logged(4);
  while (!lines.some((line) => line.endsWith(' STOPPING=1'))) lines = await logged(lines.length + 1);
  clearInterval(busy);
  assert.ok(lines.includes('/run/notify READY=1 STATUS=serving 1 image'));
  assert.ok(lines.includes('/run/notify WATCHDOG=1'));
  assert.match(warnings[0] ?? '', /does not answer itself/);
});

test('without systemd nothing is called', () => {
  const notifier = createServiceNotifier({ PATH: folder }, async () => true, assert.fail);
  notifier.ready('x');
  notifier.stopping();
  notifier.close();
});

test('the watchdog is only for the process that systemd means', () => {
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' }, 7), 20_000);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '60000000' }, 7), 20_000);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' }, 7), undefined);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: 'soon' }, 7), undefined);
  assert.equal(watchdogInterval({}, 7), undefined);
});
