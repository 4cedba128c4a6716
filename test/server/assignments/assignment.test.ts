import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isInSubnet, makeTarget, parseSubnet } from '../../../server/assignments/assignment.ts';
import { formatIpv4 } from '../../../server/netboot/ipv4-network.ts';

test('a target has one spelling', () => {
  assert.equal(makeTarget('machine', '52-54-00-AA-00-06').key, '52:54:00:aa:00:06');
  assert.equal(makeTarget('subnet', '10.1.2.3/23').key, '10.1.2.0/23');
  assert.equal(makeTarget('default', 'true').key, '');
  for (const [scope, text] of [
    ['machine', 'pc01'],
    ['subnet', '10.0.0.0'],
    ['subnet', '10.0.0.0/33'],
    ['subnet', '10.0.0.0/0'],
    ['subnet', '010.0.0.0/8'],
    ['subnet', 'fd77::/64'],
    ['arch', 'i386'],
  ] as const)
    assert.throws(() => makeTarget(scope, text), { code: 'bad-option' }, `${scope} ${text}`);
});

test('an address is in the subnet that is made from it, and a subnet is its own normal form', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.integer({ min: 1, max: 32 }),
      (value, prefix) => {
        const subnet = parseSubnet(`${formatIpv4(value)}/${prefix}`);
        assert.ok(subnet);
        assert.ok(isInSubnet(subnet, formatIpv4(value)));
        assert.equal(parseSubnet(subnet.key)?.key, subnet.key);
        if (prefix > 1) assert.ok(!isInSubnet(subnet, formatIpv4((value + 2 ** 31) % 2 ** 32)));
      },
    ),
  );
  assert.ok(!isInSubnet({ first: 0, size: 2 ** 31 }, 'fd77::1'));
});
