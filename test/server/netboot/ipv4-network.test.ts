import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpv4, parseIpv4, parseIpv4Network } from '../../../server/netboot/ipv4-network.ts';

test('an address survives parse and format', () => {
  fc.assert(fc.property(fc.ipV4(), (address) => assert.equal(formatIpv4(parseIpv4(address) ?? -1), address)));
  for (const text of ['1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4 ', '', '1.2.3.-4', '1e1.0.0.0'])
    assert.equal(parseIpv4(text), undefined, text);
});

test('a network has mask, first and last host', () => {
  assert.deepEqual(parseIpv4Network('192.168.1.10/24'), {
    address: '192.168.1.10',
    prefixLength: 24,
    netmask: '255.255.255.0',
    firstHost: parseIpv4('192.168.1.1'),
    lastHost: parseIpv4('192.168.1.254'),
  });
  assert.equal(parseIpv4Network('10.200.3.4/8')?.netmask, '255.0.0.0');
  // network and broadcast address are no host's
  for (const text of [
    '10.0.0.0/24',
    '10.0.0.255/24',
    '10.0.0.1/31',
    '10.0.0.1/7',
    '10.0.0.1',
    '10.0.0.1/24/1',
    '10.0.0.1/ 24',
  ])
    assert.equal(parseIpv4Network(text), undefined, text);
});
