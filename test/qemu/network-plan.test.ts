import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  leftovers,
  machineMac,
  namespaceName,
  networkCommands,
  ownerOf,
  shapingArguments,
  siteDhcpConfiguration,
  siteNamespaceName,
} from '../../qemu/network-plan.ts';

describe('names', () => {
  it('tell their owner', () => {
    fc.assert(
      fc.property(fc.nat(4_194_304), fc.nat(9999), (pid, number) => {
        const name = namespaceName(pid, number);
        assert.equal(ownerOf(name), pid);
        assert.equal(ownerOf(siteNamespaceName(name)), pid);
      }),
    );
  });

  it('of others are left alone, and so are those of the living', () => {
    const names = [
      'swb-10-1',
      'swb-10-1-site',
      'swb-11-1',
      'swb-x-1',
      'swb-10-1-other',
      'docker',
      'my-swb-10-1',
    ];
    assert.deepEqual(
      leftovers(names, (pid) => pid === 11),
      ['swb-10-1', 'swb-10-1-site'],
    );
  });

  it('give each machine a MAC address of its own', () => {
    const macs = Array.from({ length: 254 }, (_, machine) => machineMac(machine));
    assert.equal(new Set(macs).size, 254);
    for (const mac of macs) assert.match(mac, /^52:54:00(:[0-9a-f]{2}){3}$/);
    assert.throws(() => machineMac(254), /254 machines/);
  });
});

describe('networkCommands', () => {
  const text = (plan: Parameters<typeof networkCommands>[0]) =>
    networkCommands(plan).map(({ namespace, argv }) => `${namespace ?? 'host'}: ${argv.join(' ')}`);

  it('makes a bridge that forwards at once, and a tap for each machine', () => {
    const commands = text({ namespace: 'swb-1-1', machines: 2, site: false });
    assert.equal(commands[0], 'host: ip netns add swb-1-1');
    assert.ok(commands.includes('swb-1-1: ip link add br0 type bridge forward_delay 0'));
    assert.ok(commands.includes('swb-1-1: ip address add 10.77.0.1/24 dev br0'));
    assert.ok(commands.includes('swb-1-1: ip link set tap1 master br0 up'));
    assert.ok(
      !commands.some(
        (command) => command.includes('tap2') || command.includes('site') || command.includes('tc '),
      ),
    );
  });

  it("makes the site's own namespace, and limits links", () => {
    const commands = text({ namespace: 'swb-1-1', machines: 1, site: true, linkBitsPerSecond: 100_000_000 });
    assert.ok(commands.includes('swb-1-1-site: ip address add 10.77.0.254/24 dev eth0'));
    assert.ok(
      commands.some((command) => command.startsWith('swb-1-1: tc qdisc replace dev tap0 root tbf rate')),
    );
    // Nothing but the making of namespaces touches the host.
    for (const command of commands.filter((line) => line.startsWith('host:')))
      assert.match(command, /^host: ip netns add swb-1-1(-site)?$/);
  });
});

it('shapes with a burst that the timer can keep up with', () => {
  assert.deepEqual(shapingArguments('tap0', 1_000_000_000).slice(-6), [
    ...['rate', '1000000000bit', 'burst', '500000b', 'latency', '100ms'],
  ]);
  assert.ok(shapingArguments('tap0', 1_000_000).includes('16384b'));
});

it('lets the site give leases and nothing about booting', () => {
  const configuration = siteDhcpConfiguration('/tmp/lab');
  assert.match(configuration, /^dhcp-range=10\.77\.0\.100,/m);
  assert.doesNotMatch(configuration, /dhcp-boot|pxe|tftp/);
});
