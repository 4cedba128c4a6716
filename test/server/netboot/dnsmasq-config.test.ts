import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dnsmasqConfig } from '../../../server/netboot/dnsmasq-config.ts';
import { parseDnsmasqOptions } from '../../../server/netboot/dnsmasq-options.ts';
import { assertGolden } from '../golden.ts';

const common = {
  interface: 'enp3s0',
  address: '10.77.0.1/24',
  range: '10.77.0.50,10.77.0.99',
  serverUrl: undefined,
  uefi: 'ipxe',
  tftpRoot: '/var/lib/swarmboot/tftp',
} as const;

test('with shim all UEFI machines get it, by TFTP and by HTTP, and BIOS machines iPXE', () => {
  for (const mode of ['full', 'proxy'] as const) {
    const text = dnsmasqConfig(parseDnsmasqOptions({ ...common, mode, ra: undefined, uefi: 'shim' }));
    assert.doesNotMatch(text, /ipxe(-arm64)?\.efi/);
    assert.match(text, /undionly\.kpxe$/m);
    assert.match(text, /[,:]shimx64\.efi$/m);
    assert.match(text, /,shimaa64\.efi$/m);
    if (mode === 'full') {
      assert.match(text, /^dhcp-boot=tag:!ipxe,tag:efihttp,http:\/\/10\.77\.0\.1:7080\/tftp\/shimx64\.efi$/m);
      assert.match(
        text,
        /^dhcp-boot=tag:!ipxe,tag:armhttp,http:\/\/10\.77\.0\.1:7080\/tftp\/shimaa64\.efi$/m,
      );
    }
  }
});

test('both modes are as the golden files have them', () => {
  const full = parseDnsmasqOptions({ ...common, mode: 'full', ra: 'fd77::/64' });
  assertGolden('dnsmasq-full.conf', dnsmasqConfig(full));
  const proxy = parseDnsmasqOptions({ ...common, mode: 'proxy', ra: undefined });
  assertGolden('dnsmasq-proxy.conf', dnsmasqConfig(proxy));
});
