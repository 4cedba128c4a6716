import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidates, chooseInterface } from '../../../server/setup/interface-choice.ts';

const address = (cidr: string | null, fields: object = {}) => ({
  ...{ family: 'IPv4', internal: false, mac: '52:54:00:aa:00:06', cidr },
  ...fields,
});

test('only what machines can boot on is a candidate', () => {
  const found = candidates({
    lo: [address('127.0.0.1/8', { internal: true })],
    eth0: [address('fe80::1/64', { family: 'IPv6' }), address('10.0.0.1/24')],
    wg0: [address('10.9.0.1/32')],
    eth1: [address(null)],
    eth2: undefined,
  });
  assert.deepEqual(found, [{ name: 'eth0', mac: '52:54:00:aa:00:06', cidr: '10.0.0.1/24' }]);
});

test('the only one is taken; of several one must be named; what is named must be there', () => {
  const [one, two] = candidates({ eth0: [address('10.0.0.1/24')], eth1: [address('10.1.0.1/24')] });
  assert.ok(one && two);
  assert.equal(chooseInterface([one], undefined).name, 'eth0');
  assert.equal(chooseInterface([one, two], 'eth1').name, 'eth1');
  assert.throws(
    () => chooseInterface([one, two], undefined),
    /--interface: eth0 \(10\.0\.0\.1\/24\), eth1 \(10\.1\.0\.1\/24\)/,
  );
  assert.throws(
    () => chooseInterface([one], 'eth9'),
    /"eth9" does not exist or has no IPv4 address \(there are eth0/,
  );
  assert.throws(() => chooseInterface([], undefined), /No network interface has an IPv4 address: give/);
});
