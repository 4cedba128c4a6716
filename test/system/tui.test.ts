/** The console in a real terminal (tmux) against a real server and database, with telemetry posted as a machine does. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSite } from '../../server/site.ts';
import { publishSmall } from '../server/published-image.ts';
import { startServer } from '../server/running-server.ts';

const command = join(import.meta.dirname, '../../bin/swarmboot');
const { url, server, folder } = await startServer();
await publishSmall(folder, 'exam');
await server.rescan();
const state = join(folder, 'state');
const site = openSite(state);
// Not in the server's folder, which goes before the terminal does.
const terminal = mkdtempSync(join(tmpdir(), 'swarmboot-tui-'));
const socket = join(terminal, 'tmux');
const tmux = (...args: string[]): string =>
  execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], { encoding: 'utf8', timeout: 10_000 });
const keys = (...names: string[]) => tmux('send-keys', ...names);
const screen = (): string => tmux('capture-pane', '-p');

/** Waits until the screen shows it. */
async function shows(pattern: RegExp): Promise<string> {
  for (const deadline = Date.now() + 30_000; ; await sleep(100)) {
    const text = screen();
    if (pattern.test(text)) return text;
    if (Date.now() > deadline) assert.match(text, pattern);
  }
}

const mac = '52:54:00:aa:00:06';
const post = (...events: object[]) =>
  fetch(`${url}/telemetry`, {
    method: 'POST',
    body: events
      .map((event) => JSON.stringify({ mac, boot: '00112233445566aa', uptime: 3, ...event }))
      .join('\n'),
  });
const progress = (bytes: number) => ({
  ...{ event: 'progress', release: 'lab/1', bytes, total: 100e6, bytesPerSecond: 12e6, peers: 3 },
  ...{ downloaded: { peers: bytes, seeder: 0, webseed: 0 }, uploaded: 0 },
});

before(() => {
  site.groups.add('lab1', 1);
  site.machines.add(mac, 'pc01', 'lab1');
  site.machines.add('52:54:00:aa:00:07', 'pc02', 'lab1');
  tmux(
    'new-session',
    '-d',
    '-x',
    '80',
    '-y',
    '24',
    `${command} tui --state ${state}; echo "left with $?"; cat`,
  );
});
after(() => {
  spawnSync('tmux', ['-S', socket, 'kill-server']);
  rmSync(terminal, { recursive: true, force: true });
  site.close();
});

test('rooms and machines are shown in 80x24, and a boot is seen as it goes', async () => {
  const first = await shows(/pc02 +never booted +exam/);
  const lines = first.trimEnd().split('\n');
  assert.ok(lines.length <= 24 && lines.every((line) => line.length <= 80), first);
  assert.match(first, /^lab1 \(2\)/m);
  await fetch(`${url}/ipxe?mac=${mac}&arch=x86_64`);
  await shows(/pc01 +stage-1/);
  await post({ event: 'phase-start', phase: 'swarm' }, progress(53e6));
  await shows(/pc01 +swarm +\[#####\.\.\.\.\.\] +53% 12\.0 MB\/s +exam/);
  await post(progress(90e6));
  await shows(/pc01 .*90%/);
});

test('an image is picked for the room, another for one machine, a third for once', async () => {
  keys('i');
  await shows(/Image of group lab1/);
  keys('Down', 'Enter');
  await shows(/group lab1: image lab[\s\S]*\n/);
  assert.equal(site.assignments.get({ scope: 'group', key: 'lab1' })?.image, 'lab');
  await shows(/pc02 .* lab$/m);
  assert.match(await (await fetch(`${url}/ipxe?mac=52:54:00:aa:00:07&arch=x86_64`)).text(), /images\/lab\//);
  keys('Down', 'n');
  await shows(/Next boot, and only that, of pc01/);
  keys('Enter');
  await shows(/pc01 .* exam \(once\)$/m);
  assert.equal(site.assignments.nextBoot(mac)?.image, 'exam');
});

test('one machine is watched to its handoff, through a change of the window and back', async () => {
  keys('Enter');
  await shows(/pc01 {2}52:54:00:aa:00:06 {2}lab1[\s\S]*swarm +<- now[\s\S]*lab\/1: \[#+\.+\] 90%/);
  tmux('resize-window', '-x', '50', '-y', '10');
  await shows(/The terminal has 50x10; the console needs 60x12/);
  tmux('resize-window', '-x', '100', '-y', '30');
  await shows(/esc back/);
  await post({ event: 'phase-end', phase: 'swarm', ok: true, seconds: 8.5, detail: '' });
  await shows(/swarm +8\.5 s/);
  const handoff = { event: 'handoff', strategy: 'pmem', release: 'lab/1', peakRssBytes: 1, hashFailures: 0 };
  await post({ ...handoff, downloaded: { peers: 1, seeder: 0, webseed: 0 }, uploaded: 0 });
  await shows(/^ {2}running; next boot/m);
  keys('Escape');
  await shows(/pc01 +running/);
});

test('without the server it says so and works on; q gives the terminal back', async () => {
  await server.close();
  await shows(/No answer from http:\/\/127\.0\.0\.1:\d+ \(/);
  keys('q');
  await shows(/left with 0/);
});

test('without a terminal it is a sentence', () => {
  const { status, stderr } = spawnSync(command, ['tui', '--state', state], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(status, 2);
  assert.match(stderr, /^swarmboot: The console needs a terminal.*"ssh -t"/);
});
