import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hangsOnProxyTag } from '../../../server/doctor/endless-dnsmasq.ts';

const DEBIAN_13 = 'Dnsmasq version 2.91  Copyright (c) 2000-2025 Simon Kelley\n';
const DEBIAN_12 = 'Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley\n';
const LTSP =
  'port=0\n#dhcp-range=192.168.67.20,192.168.67.250,12h\ndhcp-range=set:proxy,10.77.0.0,proxy,255.255.255.0\n';

test("Debian 13's dnsmasq hangs with the range that LTSP writes", () => {
  assert.equal(hangsOnProxyTag(LTSP, DEBIAN_13), true);
});
test('another version, a range without a tag or in a comment, a range that is no proxy: it does not', () => {
  assert.equal(hangsOnProxyTag(LTSP, DEBIAN_12), false);
  assert.equal(hangsOnProxyTag(LTSP.replace('set:proxy,', ''), DEBIAN_13), false);
  assert.equal(hangsOnProxyTag(LTSP.replaceAll('dhcp-range', '#dhcp-range'), DEBIAN_13), false);
  assert.equal(hangsOnProxyTag('dhcp-range=set:lab,10.0.0.1,10.0.0.9\n', DEBIAN_13), false);
});
