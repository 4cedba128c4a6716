import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../../server/failure.ts';
import { dnsmasqConfig } from '../../../server/netboot/dnsmasq-config.ts';
import { type DnsmasqOptionTexts, parseDnsmasqOptions } from '../../../server/netboot/dnsmasq-options.ts';

const good: DnsmasqOptionTexts = {
  interface: 'eth0',
  address: '10.77.0.1/24',
  mode: 'full',
  uefi: 'ipxe',
  range: undefined,
  ra: undefined,
  serverUrl: undefined,
  tftpRoot: '/var/lib/swarmboot/tftp',
};

test('defaults: the upper half of the network, our own address', () => {
  const options = parseDnsmasqOptions(good);
  assert.deepEqual(options.range, { start: '10.77.0.128', end: '10.77.0.254' });
  assert.equal(options.serverUrl, 'http://10.77.0.1:7080');
  assert.equal(parseDnsmasqOptions({ ...good, ra: 'FD77::/64' }).raPrefix, 'fd77::');
});

test('each wrong value is refused by the name of its option', () => {
  const wrong: readonly [keyof DnsmasqOptionTexts, string, RegExp][] = [
    ['interface', 'eth0\ndhcp-script=/tmp/x', /^--interface/],
    ['interface', 'eth0,lo', /^--interface/],
    ['interface', '', /^--interface/],
    ['interface', 'a-name-of-16-chr', /^--interface/],
    ['address', '10.77.0.0/24', /^--address/],
    ['address', '10.77.0.1', /^--address/],
    ['range', '10.77.0.50', /^--range/],
    ['range', '10.77.0.99,10.77.0.50', /^--range/],
    ['range', '10.78.0.50,10.78.0.99', /^--range/],
    ['range', '10.77.0.50,10.77.0.99,static', /^--range/],
    ['ra', 'fd77::1', /^--ra/],
    ['ra', '::', /^--ra/],
    ['ra', 'fd77::/48', /^--ra/],
    ['serverUrl', 'https://10.77.0.1', /^--server-url/],
    ['serverUrl', 'http://10.77.0.1/path', /^--server-url/],
    ['tftpRoot', 'relative', /^--tftp-root/],
    ['tftpRoot', '/a b', /^--tftp-root/],
    ['tftpRoot', '/a\nport=53', /^--tftp-root/],
  ];
  for (const [key, value, message] of wrong) {
    assert.throws(
      () => parseDnsmasqOptions({ ...good, [key]: value }),
      (error: unknown) =>
        error instanceof Failure && error.code === 'bad-option' && message.test(error.message),
      `${key} ${value}`,
    );
  }
});

test('no value can add a line or a field to the configuration', () => {
  const plain = dnsmasqConfig(parseDnsmasqOptions({ ...good, ra: 'fd77::' })).split('\n').length;
  const text = fc.string({
    unit: fc.constantFrom('a', '1', '.', ':', '/', '\n', '\r', ',', '#', '"', ' ', '-', 'f', '='),
  });
  const key = fc.constantFrom<keyof DnsmasqOptionTexts>(
    'interface',
    'address',
    'range',
    'ra',
    'serverUrl',
    'tftpRoot',
  );
  fc.assert(
    fc.property(key, text, (name, value) => {
      try {
        const config = dnsmasqConfig(parseDnsmasqOptions({ ...good, ra: 'fd77::', [name]: value }));
        assert.equal(config.split('\n').length, plain);
        assert.doesNotMatch(config, /\r/);
      } catch (error) {
        assert.ok(error instanceof Failure, String(error));
      }
    }),
  );
});
