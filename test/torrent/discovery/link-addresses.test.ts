import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { linkAddresses } from '../../../torrent/discovery/link-addresses.ts';

const entry = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  internal,
  mac: '00:00:00:00:00:00',
  netmask: '',
  cidr: null,
  ...(address.includes(':') ? { family: 'IPv6', scopeid: 2 } : { family: 'IPv4' }),
});

const INTERFACES = {
  lo: [entry('127.0.0.1', true), entry('::1', true)],
  eth0: [entry('10.0.0.7'), entry('10.0.0.8'), entry('2001:db8::7'), entry('fe80::7')],
  eth1: [entry('fe80::9')],
};

test('everywhere: one address for each interface and family, never loopback; link-local ones with their scope', () => {
  const expected = [
    { family: 'IPv4', address: '10.0.0.7', multicastInterface: '10.0.0.7' },
    { family: 'IPv6', address: 'fe80::7%eth0', multicastInterface: '::%eth0' },
    { family: 'IPv6', address: 'fe80::9%eth1', multicastInterface: '::%eth1' },
  ];
  for (const host of [undefined, '::']) assert.deepEqual(linkAddresses(INTERFACES, host), expected);
  assert.deepEqual(linkAddresses(INTERFACES, '0.0.0.0'), expected.slice(0, 1));
});

test('who listens on one address speaks from it', () => {
  assert.deepEqual(linkAddresses(INTERFACES, '10.0.0.8'), [
    { family: 'IPv4', address: '10.0.0.8', multicastInterface: '10.0.0.8' },
  ]);
  assert.deepEqual(linkAddresses(INTERFACES, '127.0.0.1'), [
    { family: 'IPv4', address: '127.0.0.1', multicastInterface: '127.0.0.1' },
  ]);
  assert.deepEqual(linkAddresses(INTERFACES, 'fe80::9%eth1'), [
    { family: 'IPv6', address: 'fe80::9%eth1', multicastInterface: '::%eth1' },
  ]);
  assert.deepEqual(linkAddresses(INTERFACES, '192.0.2.1'), []);
});
