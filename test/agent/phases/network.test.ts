import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type NetworkOptions, networkPhase } from '../../../agent/phases/network.ts';
import { type Fakes, fakes, type Program, phaseContext, succeeded } from '../fakes.ts';
import { addNic } from '../network/fake-nic.ts';

const options: NetworkOptions = { interface: undefined, bootMac: undefined, networkTimeoutSeconds: 60 };
const MAC = '52:54:00:aa:00:01';

/** udhcpc that gets a lease on the interfaces in `serving`, and runs into its time limit on the others. */
function dhcp(around: Fakes, serving: readonly string[], text?: string): Program {
  return async (args, { signal, environment }) => {
    const nic = args[args.indexOf('-i') + 1] ?? '';
    if (!serving.includes(nic)) {
      await around.machine.sleep(12_000, signal).catch(() => {});
      return { status: 1, output: 'udhcpc: no lease, failing' };
    }
    await around.machine.sleep(300, signal);
    const lease =
      text ?? 'ip=10.77.0.50\nsubnet=255.255.255.0\nrouter=10.77.0.1\ndns=10.77.0.1\nserverid=10.77.0.1\n';
    writeFileSync(environment?.SWARMBOOT_LEASE ?? '', lease);
    return succeeded;
  };
}

function setUp(context: TestContext, serving: readonly string[], text?: string): Fakes {
  const around = fakes(context);
  around.machine.programs.set('udhcpc', dhcp(around, serving, text));
  return around;
}

test('link up, lease, address, route, name server', async (context) => {
  const around = setUp(context, ['eth0']);
  addNic(around.machine, 'eth0', MAC, '1');
  const { value, detail } = await networkPhase(phaseContext(around), options);
  assert.equal(value.lease.address, '10.77.0.50');
  assert.equal(detail, `eth0 ${MAC} 10.77.0.50/24 via 10.77.0.1`);
  assert.deepEqual(around.machine.callsOf('ip'), [
    'link set dev eth0 up',
    '-4 addr flush dev eth0',
    '-4 addr add 10.77.0.50/24 broadcast + dev eth0',
    '-4 route replace default via 10.77.0.1 dev eth0',
  ]);
  assert.equal(readFileSync(join(around.machine.root, '/etc/resolv.conf'), 'utf8'), 'nameserver 10.77.0.1\n');
  assert.match(around.machine.callsOf('udhcpc')[0] ?? '', /^-i eth0 -f -n -q -t 4 -T 3 -s .*udhcpc-script$/);
});

test('a router outside of the network gets a route of its own first', async (context) => {
  const around = setUp(context, ['eth0'], 'ip=10.0.0.5\nsubnet=255.255.255.255\nrouter=10.0.0.1\n');
  addNic(around.machine, 'eth0', MAC, '1');
  await networkPhase(phaseContext(around), options);
  assert.deepEqual(around.machine.callsOf('ip').slice(-2), [
    '-4 route replace 10.0.0.1 dev eth0',
    '-4 route replace default via 10.0.0.1 dev eth0',
  ]);
});

test('of several interfaces the first lease wins, and the other client is stopped', async (context) => {
  const around = setUp(context, ['eth1']);
  addNic(around.machine, 'eth0', MAC, '1');
  addNic(around.machine, 'eth1', '52:54:00:aa:00:02', '1');
  let stopped = false;
  const program = around.machine.programs.get('udhcpc')!;
  around.machine.programs.set('udhcpc', async (args, run) => {
    if (args.includes('eth0')) run.signal?.addEventListener('abort', () => (stopped = true));
    return program(args, run);
  });
  const { value } = await networkPhase(phaseContext(around), options);
  assert.equal(value.interface, 'eth1');
  assert.equal(stopped, true);
});

test('the interface of BOOTIF is used and no other one', async (context) => {
  const around = setUp(context, ['eth0', 'eth1']);
  addNic(around.machine, 'eth0', MAC, '1');
  addNic(around.machine, 'eth1', '52:54:00:aa:00:02', '1');
  const { value } = await networkPhase(phaseContext(around), { ...options, bootMac: '52:54:00:aa:00:02' });
  assert.equal(value.interface, 'eth1');
  assert.equal(around.machine.callsOf('ip').includes('link set dev eth0 up'), false);
});

test('a driver that loads late and a carrier that comes slowly are waited for', async (context) => {
  const around = setUp(context, ['eth0']);
  void around.machine.sleep(5000).then(() => addNic(around.machine, 'eth0', MAC, '0'));
  void around.machine.sleep(30_000).then(() => around.machine.file('/sys/class/net/eth0/carrier', '1\n'));
  const phase = phaseContext(around);
  const { value } = await networkPhase(phase, options);
  assert.equal(value.interface, 'eth0');
  assert.deepEqual(phase.waits, ['a network interface to appear', 'carrier on eth0', 'a DHCP lease on eth0']);
  assert.ok(around.machine.now() >= 30_000);
});

test('a lease that makes no sense is named and asked for again', async (context) => {
  const around = setUp(context, ['eth0'], 'ip=127.0.0.1\nsubnet=255.0.0.0\n');
  addNic(around.machine, 'eth0', MAC, '1');
  await assert.rejects(networkPhase(phaseContext(around, 90_000), options), {
    message: /no usable address: "127\.0\.0\.1"/,
  });
  assert.ok(around.machine.callsOf('udhcpc').length > 5);
});

for (const [what, code, message, prepare] of [
  ['no hardware at all', 'no-interface', /no Ethernet device on the PCI bus/, () => {}],
  [
    'hardware without a driver',
    'no-interface',
    /no driver took Ethernet device 8086:15f3 at 0000:00:1f\.6/,
    ({ machine }: Fakes) => {
      machine.file('/sys/bus/pci/devices/0000:00:1f.6/class', '0x020000\n');
      machine.file('/sys/bus/pci/devices/0000:00:1f.6/vendor', '0x8086\n');
      machine.file('/sys/bus/pci/devices/0000:00:1f.6/device', '0x15f3\n');
    },
  ],
  [
    'no carrier',
    'no-carrier',
    /No carrier on eth0 within 60 s/,
    ({ machine }: Fakes) => addNic(machine, 'eth0', MAC, '0'),
  ],
  [
    'no lease',
    'no-lease',
    /No DHCP lease on eth0 within 60 s/,
    ({ machine }: Fakes) => addNic(machine, 'eth0', MAC, '1'),
  ],
] as const) {
  test(`says what is wrong: ${what}`, async (context) => {
    const around = setUp(context, []);
    prepare(around);
    await assert.rejects(
      networkPhase(phaseContext(around, 150_000), options),
      (error: Error & { code: string }) => {
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      },
    );
    // It started over before it gave up.
    assert.ok(around.console.find(/starting over/));
  });
}

test('an interface that does not exist is refused with those that do', async (context) => {
  const around = setUp(context, ['eth0']);
  addNic(around.machine, 'eth0', MAC, '1');
  await assert.rejects(networkPhase(phaseContext(around, 70_000), { ...options, interface: 'enp3s0' }), {
    code: 'no-such-interface',
    message: /swarmboot\.interface=enp3s0 within 60 s; there are: eth0 52:54:00:aa:00:01/,
  });
  assert.equal(existsSync(join(around.machine.root, '/etc/resolv.conf')), false);
});
