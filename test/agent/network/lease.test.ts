import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LeaseError, parseLease, prefixLengthOf, sameNetwork } from '../../../agent/network/lease.ts';

const good =
  'ip=10.77.0.50\nsubnet=255.255.255.0\nrouter=10.77.0.1\ndns=10.77.0.1 9.9.9.9\nserverid=10.77.0.1\n';

test('a lease as udhcpc gives it', () => {
  assert.deepEqual(parseLease(good), {
    address: '10.77.0.50',
    prefixLength: 24,
    routers: ['10.77.0.1'],
    nameServers: ['10.77.0.1', '9.9.9.9'],
    server: '10.77.0.1',
  });
});

test('router, name servers and server may be missing', () => {
  const lease = parseLease('ip=10.77.0.50\nsubnet=255.255.0.0\nrouter=\ndns=\nserverid=\n');
  assert.deepEqual(
    [lease.prefixLength, lease.routers, lease.nameServers, lease.server],
    [16, [], [], undefined],
  );
});

for (const [what, text] of [
  ['no address', 'subnet=255.255.255.0'],
  ['a loopback address', 'ip=127.0.0.1\nsubnet=255.255.255.0'],
  ['a multicast address', 'ip=224.0.0.1\nsubnet=255.255.255.0'],
  ['an option instead of an address', 'ip=--help\nsubnet=255.255.255.0'],
  ['no netmask', 'ip=10.0.0.1'],
  ['a netmask with holes', 'ip=10.0.0.1\nsubnet=255.0.255.0'],
  ['a netmask of nothing', 'ip=10.0.0.1\nsubnet=0.0.0.0'],
  ['a router that is a word', 'ip=10.0.0.1\nsubnet=255.255.255.0\nrouter=$(reboot)'],
  ['a name server that is a word', 'ip=10.0.0.1\nsubnet=255.255.255.0\ndns=nameserver'],
  ['a field twice', 'ip=10.0.0.1\nip=10.0.0.2\nsubnet=255.255.255.0'],
] as const) {
  test(`refused: ${what}`, () => assert.throws(() => parseLease(text), LeaseError));
}

test('any text is a lease or a LeaseError', () => {
  const line = fc.tuple(
    fc.constantFrom('ip', 'subnet', 'router', 'dns', 'x'),
    fc.oneof(fc.ipV4(), fc.string()),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map(([name, value]) => `${name}=${value}`).join('\n');
      try {
        assert.match(parseLease(text).address, /^\d+\.\d+\.\d+\.\d+$/);
      } catch (error) {
        assert.ok(error instanceof LeaseError);
      }
    }),
  );
});

test('netmasks and networks', () => {
  assert.deepEqual(['255.255.255.255', '255.255.254.0', '128.0.0.0'].map(prefixLengthOf), [32, 23, 1]);
  assert.equal(sameNetwork('10.0.0.1', '10.0.0.254', 24), true);
  assert.equal(sameNetwork('10.0.0.1', '10.0.1.1', 24), false);
  assert.equal(sameNetwork('192.168.1.1', '192.168.1.2', 32), false);
});
