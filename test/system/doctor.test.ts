/** `swarmboot doctor` in a namespace of its own, where each fault of ports, firewall and disk is really made. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../../server/doctor/finding.ts';
import { publishSmall } from '../server/published-image.ts';
import { temporaryFolder } from '../server/temporary-folder.ts';

const swarmboot = join(import.meta.dirname, '../../bin/swarmboot');
const folder = temporaryFolder('doctor');
const [state, config, snippet] = [
  join(folder, 'state'),
  join(folder, 'config'),
  join(folder, 'swarmboot.conf'),
];
const namespace = `swd-${process.pid}`;
const run = (...argv: string[]): string =>
  execFileSync(argv[0] as string, argv.slice(1), { encoding: 'utf8', timeout: 30_000, stdio: 'pipe' });
const inside = ['ip', 'netns', 'exec', namespace];
const started: number[] = [];

run('ip', 'netns', 'add', namespace);
after(() => {
  for (const pid of started) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  run('ip', 'netns', 'delete', namespace);
});
run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
run('ip', '-n', namespace, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
for (const link of ['eth0', 'eth1']) run('ip', '-n', namespace, 'link', 'set', link, 'up');
run('ip', '-n', namespace, 'address', 'add', '10.78.0.1/24', 'dev', 'eth0');
await publishSmall(folder);

function start(...argv: string[]): number {
  const child = spawn(inside[0] as string, [...inside.slice(1), ...argv], { stdio: 'ignore' });
  assert.ok(child.pid !== undefined);
  started.push(child.pid);
  return child.pid;
}

function doctor(...more: string[]): { status: number | null; findings: Finding[] } {
  const args = ['doctor', '--json', '--state', state, '--config', config, '--snippet', snippet];
  const { status, stdout, stderr } = spawnSync(
    inside[0] as string,
    [...inside.slice(1), swarmboot, ...args, ...more],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  assert.ok(stdout.startsWith('['), stderr);
  return { status, findings: JSON.parse(stdout) };
}
const sentences = (findings: readonly Finding[], check: string, level: string): string[] =>
  findings
    .filter((finding) => finding.check === check && finding.level === level)
    .map(({ sentence }) => sentence);

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 60, what);
    await sleep(500);
  }
}

test('nothing runs: every port is missed, and the status says so', () => {
  const { status, findings } = doctor();
  assert.equal(status, 1);
  assert.deepEqual(sentences(findings, 'ports', 'problem'), [
    'Nobody listens on UDP port 67 (DHCP)',
    'Nobody listens on UDP port 69 (TFTP)',
    'Nobody listens on UDP port 4011 (ProxyDHCP)',
    'Nobody listens on TCP port 7080 (HTTP)',
    'Nobody listens on UDP port 7080 (the tracker)',
    'Nobody listens on TCP port 6881 (the seeder)',
  ]);
});

test('other programs on the ports are named, with their process', async () => {
  const bind =
    "import socket,time;s=socket.socket(type=socket.SOCK_DGRAM);s.bind(('0.0.0.0',69));time.sleep(600)";
  start('python3', '-c', bind);
  start('busybox', 'httpd', '-f', '-p', '7080', '-h', folder);
  await sleep(2000);
  const { findings } = doctor();
  const [tftp, http] = findings.filter(({ sentence }) => /^(python3|busybox) \(process \d+\)/.test(sentence));
  assert.match(tftp?.sentence ?? '', /has UDP port 69 \(TFTP\), which dnsmasq needs$/);
  assert.match(tftp?.fix ?? '', /^Stop python3, or give it another port; then systemctl restart dnsmasq$/);
  assert.match(http?.sentence ?? '', /has TCP port 7080 \(HTTP\), which swarmboot needs$/);
  for (const pid of started.splice(0)) process.kill(pid, 'SIGKILL');
});

test('a firewall that drops is named with its chain, and its fix works', () => {
  const nft = (...args: string[]) => run(...inside, 'nft', ...args);
  nft('add table inet filter');
  nft('add chain inet filter input { type filter hook input priority 0; policy drop; }');
  nft('add rule inet filter input ct state established,related accept');
  nft('add rule inet filter input iifname lo accept');
  nft('add rule inet filter input udp dport { 67, 69, 4011 } accept');
  const { findings } = doctor();
  const dropped = findings.filter(({ check, level }) => check === 'firewall' && level === 'problem');
  assert.deepEqual(
    dropped.map(({ sentence }) => sentence),
    [
      'The firewall drops TCP port 7080 (HTTP): chain inet filter input',
      'The firewall drops UDP port 7080 (the tracker): chain inet filter input',
      'The firewall drops TCP port 6881 (the seeder): chain inet filter input',
    ],
  );
  for (const { fix } of dropped) nft(...(fix ?? '').replace(/^nft /, '').replace(/,.*$/, '').split(' '));
  assert.deepEqual(sentences(doctor().findings, 'firewall', 'ok'), [
    'No rule of nftables drops what machines send',
  ]);
  nft('flush ruleset');
});

test('a server that is set up has nothing to complain of but stage-1; an old dnsmasq is found', async () => {
  run(
    ...[swarmboot, 'dnsmasq', '--mode', 'proxy', '--interface', 'eth0', '--address', '10.78.0.1/24'],
    ...['--state', state, '--install-ipxe', '--out', snippet],
  );
  await sleep(1100); // dnsmasq must be younger than its file, in the resolution of both times
  start('dnsmasq', '--keep-in-foreground', '--user=root', `--conf-file=${snippet}`, '--pid-file=');
  start(swarmboot, 'serve', '--host', '10.78.0.1', '--state', state, '--config', config);
  await until('the server runs', () => sentences(doctor().findings, 'server', 'ok').length === 1);
  const { findings } = doctor();
  const complaints = findings.filter(({ level }) => level === 'problem');
  assert.deepEqual(
    complaints.map(({ check }) => check),
    ['stage1'],
    JSON.stringify(complaints),
  );
  assert.equal(sentences(findings, 'ports', 'ok').length, 6);
  writeFileSync(snippet, run('cat', snippet));
  assert.match(
    sentences(doctor().findings, 'dnsmasq', 'problem').join(),
    /dnsmasq was started before .* was written/,
  );
});

test('a full disk', () => {
  const small = join(folder, 'small');
  mkdirSync(small);
  run('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small);
  try {
    const { findings } = doctor('--state', small);
    assert.match(sentences(findings, 'disk', 'problem').join(), /^[78] MiB are free in /);
    assert.match(sentences(findings, 'images', 'problem').join(), /No image is published/);
  } finally {
    run('umount', small);
  }
});
