/** Near is who shares a subnet with an interface of ours. */
import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { sameSubnet } from '../../../torrent/discovery/same-subnet.ts';

const at = (cidr: string, internal = false): NetworkInterfaceInfo => {
  const address = cidr.split('/')[0] ?? '';
  const common = { address, netmask: '', mac: '00:00:00:00:00:00', internal, cidr };
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 2 } : { ...common, family: 'IPv4' };
};

test('hosts of the interfaces, in both families', () => {
  const isNear = sameSubnet({
    lo: [at('127.0.0.1/8', true), at('::1/128', true)],
    eth0: [at('10.1.2.3/23'), at('fe80::1/64'), at('2001:db8:1::7/64')],
    eth1: [at('192.168.7.1/30')],
  });
  for (const host of ['10.1.3.200', '10.1.2.3', 'fe80::9%eth0', 'fe80::9', '2001:db8:1::abcd', '192.168.7.2'])
    assert.equal(isNear(host), true, host);
  for (const host of [
    '10.1.4.1',
    '127.0.0.1',
    '::1',
    '2001:db8:2::1',
    '192.168.7.4',
    'server',
    '',
    'fe80',
    '%',
  ])
    assert.equal(isNear(host), false, host);
});

test('without interfaces nobody is near', () => {
  assert.equal(sameSubnet({})('10.0.0.1'), false);
  assert.equal(sameSubnet({ eth0: [] })('10.0.0.1'), false);
});
