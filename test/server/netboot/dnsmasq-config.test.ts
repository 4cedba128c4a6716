import { test } from 'node:test';
import { dnsmasqConfig } from '../../../server/netboot/dnsmasq-config.ts';
import { parseDnsmasqOptions } from '../../../server/netboot/dnsmasq-options.ts';
import { assertGolden } from '../golden.ts';

const common = {
  interface: 'enp3s0',
  address: '10.77.0.1/24',
  range: '10.77.0.50,10.77.0.99',
  serverUrl: undefined,
  tftpRoot: '/var/lib/swarmboot/tftp',
};

test('both modes are as the golden files have them', () => {
  const full = parseDnsmasqOptions({ ...common, mode: 'full', ra: 'fd77::/64' });
  assertGolden('dnsmasq-full.conf', dnsmasqConfig(full));
  const proxy = parseDnsmasqOptions({ ...common, mode: 'proxy', ra: undefined });
  assertGolden('dnsmasq-proxy.conf', dnsmasqConfig(proxy));
});
