/**
 * Writes dnsmasq's configuration. Pure: options in, text out.
 *
 * Client architectures (RFC 4578 and IANA's list): 0 BIOS, 7 and 9 x86-64 UEFI (firmware uses either), 11 ARM64 UEFI,
 * 16 x86-64 UEFI HTTP Boot. iPXE sends option 175; without that test it would be given iPXE for ever.
 */
import type { DnsmasqOptions } from './dnsmasq-options.ts';
import { IPXE_FILES } from './ipxe-files.ts';

/** Names of architectures in `pxe-service`, with the file that each boots. */
const SERVICES: readonly (readonly [string, string])[] = [
  ['X86PC', IPXE_FILES.bios.name],
  ['X86-64_EFI', IPXE_FILES.efi64.name],
  ['BC_EFI', IPXE_FILES.efi64.name],
  ['ARM64_EFI', IPXE_FILES.arm64.name],
];

const MATCHES = [
  'dhcp-match=set:bios,option:client-arch,0',
  'dhcp-match=set:efi64,option:client-arch,7',
  'dhcp-match=set:efi64,option:client-arch,9',
  'dhcp-match=set:arm64,option:client-arch,11',
  'dhcp-match=set:efihttp,option:client-arch,16',
  'dhcp-match=set:ipxe,175',
];

function fullLines({ network, range, serverUrl }: DnsmasqOptions): string[] {
  return [
    '# Full DHCP: addresses and boot files. Only for a network that has no other DHCP server.',
    'dhcp-authoritative',
    `dhcp-range=${range.start},${range.end},${network.netmask},1h`,
    ...MATCHES,
    `dhcp-boot=tag:ipxe,${serverUrl}/boot.ipxe`,
    `dhcp-boot=tag:!ipxe,tag:bios,${IPXE_FILES.bios.name}`,
    `dhcp-boot=tag:!ipxe,tag:efi64,${IPXE_FILES.efi64.name}`,
    `dhcp-boot=tag:!ipxe,tag:arm64,${IPXE_FILES.arm64.name}`,
    '# UEFI HTTP Boot: firmware ignores an answer without this vendor class.',
    'dhcp-option-force=tag:efihttp,60,HTTPClient',
    `dhcp-boot=tag:!ipxe,tag:efihttp,${serverUrl}/tftp/${IPXE_FILES.efi64.name}`,
  ];
}

function proxyLines({ network, serverUrl }: DnsmasqOptions): string[] {
  return [
    "# ProxyDHCP: the site's own DHCP server gives the addresses, this one only the boot files.",
    `dhcp-range=${network.address},proxy,${network.netmask}`,
    ...MATCHES,
    ...SERVICES.map(([service, file]) => `pxe-service=tag:!ipxe,${service},"iPXE",${file}`),
    '# UEFI iPXE takes the script from dhcp-boot; BIOS iPXE says "Nothing to boot" without a pxe-service.',
    `dhcp-boot=tag:ipxe,${serverUrl}/boot.ipxe`,
    ...SERVICES.map(([service]) => `pxe-service=tag:ipxe,${service},"swarmboot",${serverUrl}/boot.ipxe`),
  ];
}

function advertisementLines(options: DnsmasqOptions): string[] {
  const { raPrefix } = options;
  if (raPrefix === undefined) return [];
  return [
    '# Router advertisements: without one, iPXE waits 16 seconds for it. The interface needs an address of this',
    `# prefix (ip -6 address add ${raPrefix}1/64 dev ${options.interface}). Lifetime 0: nobody takes us for a router.`,
    'enable-ra',
    `ra-param=${options.interface},10,0`,
    `dhcp-range=${raPrefix},ra-only,64`,
  ];
}

export function dnsmasqConfig(options: DnsmasqOptions): string {
  return [
    `# dnsmasq for swarmboot, mode ${options.mode}: made by "swarmboot dnsmasq", which makes it anew.`,
    '# No DNS; DHCP and TFTP on one interface only.',
    'port=0',
    `interface=${options.interface}`,
    'except-interface=lo',
    'bind-dynamic',
    'log-dhcp',
    '',
    'enable-tftp',
    `tftp-root=${options.tftpRoot}`,
    '',
    ...(options.mode === 'full' ? fullLines(options) : proxyLines(options)),
    ...(options.raPrefix === undefined ? [] : ['', ...advertisementLines(options)]),
    '',
  ].join('\n');
}
