/** `swarmboot setup` in a namespace, beside a real DHCP server in another, and with each thing in the way that can be. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../server/temporary-folder.ts';

const swarmboot = join(import.meta.dirname, '../../bin/swarmboot');
const folder = temporaryFolder('setup');
const [server, site] = [`sws-${process.pid}`, `swx-${process.pid}`];
const run = (...argv: string[]): string =>
  execFileSync(argv[0] as string, argv.slice(1), { encoding: 'utf8', timeout: 30_000, stdio: 'pipe' });
const started: number[] = [];
after(() => {
  for (const pid of started) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  for (const namespace of [server, site]) spawnSync('ip', ['netns', 'delete', namespace]);
});
for (const namespace of [server, site]) {
  run('ip', 'netns', 'add', namespace);
  run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
}
run('ip', '-n', server, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', site);

function start(namespace: string, ...argv: string[]): void {
  const child = spawn('ip', ['netns', 'exec', namespace, ...argv], { stdio: 'ignore' });
  assert.ok(child.pid !== undefined);
  started.push(child.pid);
}
const here = (name: string): string => join(folder, name);
/** `name` is the folder of one try: state, configuration and snippet in it. */
function setup(name: string, ...more: string[]) {
  const at = here(name);
  const args = [
    '--state',
    join(at, 'state'),
    '--config',
    join(at, 'config'),
    '--snippet',
    join(at, 'sb.conf'),
  ];
  const argv = [
    'netns',
    'exec',
    server,
    swarmboot,
    'setup',
    ...args,
    '--stage1',
    join(folder, 'stage1'),
    ...more,
  ];
  const { status, stdout, stderr } = spawnSync('ip', argv, { encoding: 'utf8', timeout: 60_000 });
  const nothing = !existsSync(join(at, 'config')) && !existsSync(join(at, 'sb.conf'));
  return { here: at, status, stdout, stderr, nothing };
}
const refused = (name: string, sentence: RegExp, ...more: string[]): void => {
  const { status, stderr, nothing } = setup(name, ...more);
  assert.match(stderr, sentence);
  assert.deepEqual([status !== 0, nothing], [true, true], 'nothing is half-configured');
};

test('no interface with an address', () => refused('none', /No network interface has an IPv4 address: give/));

test('a network without DHCP: everything is made once, and again nothing changes, whatever was chosen', () => {
  for (const [namespace, address] of [
    [server, '10.79.0.1/24'],
    [site, '10.79.0.254/24'],
  ] as const) {
    run('ip', '-n', namespace, 'address', 'add', address, 'dev', 'eth0');
    run('ip', '-n', namespace, 'link', 'set', 'eth0', 'up');
  }
  refused(
    'wrong',
    /Interface "eth9" does not exist .*there are eth0 \(10\.79\.0\.1\/24\)/,
    '--interface',
    'eth9',
  );
  mkdirSync(join(folder, 'stage1/amd64'), { recursive: true });
  for (const name of ['vmlinuz', 'initrd.img'])
    writeFileSync(join(folder, 'stage1/amd64', name), 'x'.repeat(64));
  const first = setup('lab');
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /Machines boot on eth0, where this server is 10\.79\.0\.1/);
  assert.match(first.stdout, /No DHCP server has answered/);
  assert.match(first.stdout, /Made the release key/);
  assert.match(first.stdout, /Stage-1 has this site's key/);
  assert.match(first.stdout, /Next:\n {2}swarmboot image build --name debian/);
  const snippet = join(first.here, 'sb.conf');
  assert.match(readFileSync(snippet, 'utf8'), /^dhcp-range=10\.79\.0\.1,proxy,255\.255\.255\.0$/m);
  run('dnsmasq', '--test', '-C', snippet);
  const key = readFileSync(join(first.here, 'config/release.pub'), 'utf8');
  // There is no DHCP server: this becomes one, and stays one when setup is run again, beside a file of the administrator's
  // own for another VLAN (docs/admin/vlans.md).
  const second = setup('lab', '--mode', 'full');
  assert.match(second.stdout, /release\.pub stays[\s\S]*sb\.conf is written/, second.stderr);
  const full = readFileSync(snippet, 'utf8');
  assert.match(full, /^dhcp-range=10\.79\.0\.128,10\.79\.0\.254,/m);
  const vlan = 'interface=eth0.20\ndhcp-range=10.20.0.1,proxy,255.255.255.0\n';
  writeFileSync(join(first.here, 'swarmboot-vlan20.conf'), vlan);
  run('dnsmasq', '--test', '--conf-file=/dev/null', `--conf-dir=${first.here}`);
  const third = setup('lab');
  assert.match(third.stdout, /sb\.conf is as it should be/, third.stderr);
  assert.equal(readFileSync(snippet, 'utf8'), full);
  assert.equal(readFileSync(join(first.here, 'config/release.pub'), 'utf8'), key);
});

test('another machine with the address of this one', () => {
  run('ip', '-n', site, 'address', 'add', '10.79.0.1/24', 'dev', 'eth0');
  try {
    refused(
      'namesake',
      /Another machine on eth0 \((?:[\da-f]{2}:){5}[\da-f]{2}\) has the address 10\.79\.0\.1 as well: give one of the two/,
    );
  } finally {
    run('ip', '-n', site, 'address', 'delete', '10.79.0.1/24', 'dev', 'eth0');
  }
});

test('a DHCP server that is there is noticed, keeps its job, and is not joined by a second', async () => {
  start(
    site,
    ...['dnsmasq', '--keep-in-foreground', '--user=root', '--port=0', '--pid-file=', '--conf-file=/dev/null'],
    ...[
      '--interface=eth0',
      '--dhcp-range=10.79.0.100,10.79.0.199,1h',
      `--dhcp-leasefile=${join(folder, 'leases')}`,
    ],
  );
  await sleep(1500);
  const beside = setup('lab', '--mode', 'proxy');
  assert.match(beside.stdout, /10\.79\.0\.254 gives out addresses and goes on doing so/, beside.stderr);
  refused('second', /A DHCP server is there already \(10\.79\.0\.254\).*take --mode proxy/, '--mode', 'full');
  const leases = existsSync(join(folder, 'leases')) ? readFileSync(join(folder, 'leases'), 'utf8') : '';
  assert.equal(leases, '', 'no lease was taken');
});

test("LTSP's dnsmasq keeps DHCP; another file that dnsmasq would not start beside is told", () => {
  const ltsp = join(folder, 'ltsp');
  mkdirSync(ltsp);
  writeFileSync(join(ltsp, 'ltsp-dnsmasq.conf'), 'port=0\nenable-tftp\ntftp-root=/srv/tftp\n');
  const { status, stdout, stderr } = setup('ltsp');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /ltsp-dnsmasq\.conf is LTSP's: DHCP and TFTP stay as they are/);
  assert.match(stdout, /Next:\n {2}ltsp swarm publish NAME\n[\s\S]* {2}ltsp ipxe\n/);
  assert.ok(!existsSync(join(ltsp, 'sb.conf')));
  assert.ok(existsSync(join(ltsp, 'config/release.pub')));
  mkdirSync(join(folder, 'rival'));
  writeFileSync(join(folder, 'rival/site.conf'), 'port=5353\n');
  // That dnsmasq does not start is dnsmasq's word, not ours.
  mkdirSync(here('both'));
  copyFileSync(join(here('lab'), 'sb.conf'), join(here('both'), 'sb.conf'));
  copyFileSync(join(here('rival'), 'site.conf'), join(here('both'), 'site.conf'));
  const { stderr: refusal } = spawnSync('dnsmasq', ['--test', `--conf-dir=${here('both')}`], {
    encoding: 'utf8',
  });
  assert.match(refusal, /illegal repeated keyword/);
  refused('rival', /rival\/site\.conf has "port", .* and dnsmasq does not start with both: take it out/);
});

test('a TFTP server that is there', async () => {
  const bind =
    "import socket,time;s=socket.socket(type=socket.SOCK_DGRAM);s.bind(('0.0.0.0',69));time.sleep(600)";
  start(server, 'python3', '-c', bind);
  await sleep(1500);
  refused(
    'tftpd',
    /python3 \(process \d+\) has UDP port 69 \(TFTP\), which dnsmasq needs\. Stop python3, or give it another port/,
  );
  process.kill(started.pop() as number, 'SIGKILL');
});

test('a program on a port, and a full disk', async () => {
  start(server, 'busybox', 'httpd', '-f', '-p', '7080', '-h', folder);
  await sleep(1000);
  refused(
    'taken',
    /busybox \(process \d+\) has TCP port 7080 \(HTTP\), which swarmboot needs\. Stop busybox/,
  );
  const small = join(folder, 'small');
  mkdirSync(small);
  run('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small);
  try {
    const { status, stderr } = setup('full', '--state', join(small, 'state'), '--http-port', '7081');
    assert.equal(status, 1);
    assert.match(stderr, /[78] MiB are free in .*Make room/);
    // Setup looks first; what fills the disk afterwards is told where it happens, and leaves what was there.
    const big = join(folder, 'big');
    cpSync(join(folder, 'stage1/amd64'), big, { recursive: true });
    truncateSync(join(big, 'initrd.img'), 16 * 2 ** 20);
    const state = join(small, 'state');
    const argv = ['stage1', 'install', '--state', state, '--config', join(here('lab'), 'config'), '--from'];
    run(swarmboot, ...argv, join(folder, 'stage1/amd64'));
    const before = readdirSync(join(state, 'stage1/amd64'));
    const filled = spawnSync(swarmboot, [...argv, big], { encoding: 'utf8', timeout: 60_000 });
    assert.match(
      filled.stderr,
      /^swarmboot: The disk is full \(ENOSPC: .*\): make room, then run the same again\n$/,
    );
    assert.deepEqual([filled.status, readdirSync(join(state, 'stage1'))], [1, ['amd64']]);
    assert.deepEqual(readdirSync(join(state, 'stage1/amd64')), before);
  } finally {
    run('umount', small);
  }
});
