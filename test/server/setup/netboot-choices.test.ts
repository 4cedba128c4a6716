import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSnippet } from '../../../server/doctor/snippet.ts';
import { dnsmasqConfig } from '../../../server/netboot/dnsmasq-config.ts';
import { type DnsmasqOptionTexts, parseDnsmasqOptions } from '../../../server/netboot/dnsmasq-options.ts';
import { netbootChoices } from '../../../server/setup/netboot-choices.ts';

const nothing = { mode: undefined, uefi: undefined, httpPort: 7080 };
const chosen: DnsmasqOptionTexts = {
  ...{ interface: 'eth0', address: '10.77.0.1/24', mode: 'full', uefi: 'shim', tftpRoot: '/tftp' },
  ...{ range: '10.77.0.50,10.77.0.99', ra: 'fd77::', serverUrl: 'http://boot.example:7080' },
};
const written = (texts: DnsmasqOptionTexts) => dnsmasqConfig(parseDnsmasqOptions(texts));

test('a server that nobody has set up stands beside a DHCP server', () => {
  assert.deepEqual(netbootChoices(nothing, undefined, '10.77.0.1/24'), {
    ...{ mode: 'proxy', uefi: 'ipxe', range: undefined, ra: undefined, serverUrl: 'http://10.77.0.1:7080' },
  });
});

test('setup again without options writes the same file, whatever was chosen', () => {
  for (const mode of ['proxy', 'full'] as const)
    for (const uefi of ['ipxe', 'shim'] as const)
      for (const ra of [undefined, 'fd77::'])
        for (const serverUrl of ['http://boot.example:7080', 'http://10.77.0.1:7080']) {
          const text = written({ ...chosen, mode, uefi, ra, serverUrl });
          const again = netbootChoices(nothing, parseSnippet(text), chosen.address);
          assert.equal(written({ ...chosen, ...again }), text);
        }
});

test('an option that is given now counts', () => {
  const kept = parseSnippet(written(chosen));
  const now = netbootChoices({ mode: 'proxy', uefi: 'ipxe', httpPort: 7081 }, kept, chosen.address);
  assert.deepEqual([now.mode, now.uefi], ['proxy', 'ipxe']);
});

test('with another address, what was said of the old one goes', () => {
  const kept = parseSnippet(written({ ...chosen, serverUrl: 'http://10.77.0.1:7080' }));
  const moved = netbootChoices(nothing, kept, '10.78.0.1/24');
  assert.deepEqual([moved.range, moved.serverUrl, moved.mode], [undefined, 'http://10.78.0.1:7080', 'full']);
  assert.equal(netbootChoices(nothing, kept, '10.77.0.2/24').range, '10.77.0.50,10.77.0.99');
});
