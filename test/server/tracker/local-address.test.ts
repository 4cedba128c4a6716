import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { localAddressFor } from '../../../server/tracker/local-address.ts';

const info = (address: string, netmask: string): NetworkInterfaceInfo => ({
  ...{ address, netmask, family: 'IPv4', mac: '', internal: false, cidr: null },
});
const interfaces = {
  lo: [info('127.0.0.1', '255.0.0.0')],
  eth0: [info('192.168.1.10', '255.255.255.0')],
  eth1: [info('10.200.0.1', '255.255.0.0')],
};

test('a peer is told the address that is in its own network', () => {
  assert.equal(localAddressFor('10.200.7.7', interfaces), '10.200.0.1');
  assert.equal(localAddressFor('192.168.1.99', interfaces), '192.168.1.10');
  assert.equal(localAddressFor('::ffff:192.168.1.99', interfaces), '192.168.1.10');
  assert.equal(localAddressFor('127.0.0.5', interfaces), '127.0.0.1');
});

test('a peer behind a router, or one of IPv6, gets none', () => {
  for (const remote of ['192.168.2.1', '8.8.8.8', 'fd77::1', 'x', '1.2.3.999'])
    assert.equal(localAddressFor(remote, interfaces), undefined, remote);
});
