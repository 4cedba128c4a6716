/** The lease script and the `ip` calls against the real udhcpc, the real busybox `ip` and a real DHCP server. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Machine, realMachine } from '../../agent/machine.ts';
import { configureLease, requestLease, runIp } from '../../agent/network/dhcp.ts';

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
const deadline = (): AbortSignal => AbortSignal.timeout(30_000);

interface Wire {
  /** A machine whose programs run as busybox applets inside of the client's namespace. */
  readonly machine: Machine;
  readonly client: string;
}

/** Two namespaces and a veth between them: `srv` with 10.99.0.1 in one, `eth0` in the other. */
function makeWire(context: TestContext): Wire & { serve(...args: string[]): Promise<void> } {
  const tag = `swb${process.pid}${Math.floor(performance.now()) % 1000}`;
  const [server, client] = [`${tag}s`, `${tag}c`];
  const root = mkdtempSync(join(tmpdir(), 'swarmboot-dhcp-'));
  const children: ChildProcess[] = [];
  context.after(() => {
    for (const child of children) child.kill('SIGKILL');
    for (const name of [server, client]) {
      try {
        ip('netns', 'delete', name);
      } catch {
        // It was never made.
      }
    }
    rmSync(root, { recursive: true, force: true });
  });
  ip('netns', 'add', server);
  ip('netns', 'add', client);
  ip('link', 'add', 'srv', 'netns', server, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', client);
  ip('-n', server, 'addr', 'add', '10.99.0.1/24', 'dev', 'srv');
  ip('-n', server, 'link', 'set', 'srv', 'up');
  const machine: Machine = {
    ...realMachine,
    root,
    run: (command, args, options) =>
      realMachine.run('ip', ['netns', 'exec', client, 'busybox', command, ...args], options),
  };
  const serve = async (...args: string[]): Promise<void> => {
    const base = [
      'netns',
      'exec',
      server,
      'dnsmasq',
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--port=0',
    ];
    const files = [
      `--dhcp-leasefile=${join(root, 'leases')}`,
      '--log-dhcp',
      '--log-facility=-',
      '--user=root',
    ];
    const child = spawn('ip', [...base, ...files, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    children.push(child);
    await new Promise<void>((resolve, reject) => {
      child.on('exit', (status) => reject(new Error(`dnsmasq ended with ${status}`)));
      child.stderr?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('DHCP, IP range')) resolve();
      });
    });
    child.removeAllListeners('exit');
  };
  return { machine, client, serve };
}

test('a lease is taken and configured', async (context) => {
  const { machine, client, serve } = makeWire(context);
  await serve('--dhcp-range=10.99.0.50,10.99.0.60,255.255.255.0,1h', '--dhcp-option=6,10.99.0.1,10.99.0.2');
  await runIp(machine, ['link', 'set', 'dev', 'eth0', 'up'], deadline());
  const lease = await requestLease(machine, 'eth0', deadline());
  assert.ok(lease);
  assert.match(lease.address, /^10\.99\.0\.(5\d|60)$/);
  assert.deepEqual([lease.prefixLength, lease.routers, lease.server], [24, ['10.99.0.1'], '10.99.0.1']);
  await configureLease(machine, 'eth0', lease, deadline());
  assert.match(
    ip('-n', client, '-4', 'addr', 'show', 'eth0'),
    new RegExp(`inet ${lease.address}/24 brd 10\\.99\\.0\\.255`),
  );
  assert.match(ip('-n', client, 'route'), /default via 10\.99\.0\.1 dev eth0/);
  assert.equal(
    readFileSync(join(machine.root, '/etc/resolv.conf'), 'utf8'),
    'nameserver 10.99.0.1\nnameserver 10.99.0.2\n',
  );
  // Again, as after a phase that started over: nothing of the first time is in the way.
  await configureLease(machine, 'eth0', lease, deadline());
});

test('a router outside of the network is reached', async (context) => {
  const { machine, client, serve } = makeWire(context);
  await serve('--dhcp-range=10.99.0.50,10.99.0.60,255.255.255.0,1h', '--dhcp-option=3,192.0.2.1');
  await runIp(machine, ['link', 'set', 'dev', 'eth0', 'up'], deadline());
  const lease = await requestLease(machine, 'eth0', deadline());
  assert.ok(lease);
  await configureLease(machine, 'eth0', lease, deadline());
  assert.match(ip('-n', client, 'route'), /default via 192\.0\.2\.1 dev eth0/);
});

test('nobody answers: no lease, and an abort ends the client at once', async (context) => {
  const { machine } = makeWire(context);
  await runIp(machine, ['link', 'set', 'dev', 'eth0', 'up'], deadline());
  const reason = new Error('another interface won');
  const controller = new AbortController();
  const request = requestLease(machine, 'eth0', controller.signal);
  setTimeout(() => controller.abort(reason), 1000);
  await assert.rejects(request, reason);
  assert.equal(await requestLease(machine, 'eth0', deadline()), undefined);
});

test('an interface that is not there is an error with the words of ip', async (context) => {
  const { machine } = makeWire(context);
  await assert.rejects(runIp(machine, ['link', 'set', 'dev', 'eth9', 'up'], deadline()), {
    code: 'ip-failed',
    message: /"ip link set dev eth9 up" failed: ip: SIOCGIFFLAGS: No such device/,
  });
});
