/**
 * Writes dnsmasq's configuration. Pure: options in, text out.
 *
 * Client architectures (RFC 4578 and IANA's list): 0 BIOS, 7 and 9 x86-64 UEFI (firmware uses either), 11 ARM64 UEFI,
 * 16 and 19 the same two by UEFI HTTP Boot. iPXE sends option 175; without that test it would be given iPXE for ever.
 *
 * No firmware says in DHCP whether Secure Boot is on, so that all UEFI machines get one chain: shim and GRUB work in
 * either case, iPXE only with Secure Boot off.
 */
import { IPXE_FILES, SHIM_FILES } from './boot-files.ts';
import type { DnsmasqOptions } from './dnsmasq-options.ts';

/** What machines load first: BIOS, x86-64 UEFI, ARM64 UEFI. */
interface FirstPrograms {
  readonly bios: string;
  readonly efi64: string;
  readonly arm64: string;
}

const firstPrograms = (uefi: DnsmasqOptions['uefi']): FirstPrograms => ({
  bios: IPXE_FILES.bios.name,
  efi64: uefi === 'shim' ? SHIM_FILES.amd64.shim.name : IPXE_FILES.efi64.name,
  arm64: uefi === 'shim' ? SHIM_FILES.arm64.shim.name : IPXE_FILES.arm64.name,
});

/** Names of architectures in `pxe-service`. */
const SERVICES: readonly (readonly [string, keyof FirstPrograms])[] = [
  ['X86PC', 'bios'],
  ['X86-64_EFI', 'efi64'],
  ['BC_EFI', 'efi64'],
  ['ARM64_EFI', 'arm64'],
];

const MATCHES = [
  'dhcp-match=set:bios,option:client-arch,0',
  'dhcp-match=set:efi64,option:client-arch,7',
  'dhcp-match=set:efi64,option:client-arch,9',
  'dhcp-match=set:arm64,option:client-arch,11',
  'dhcp-match=set:efihttp,option:client-arch,16',
  'dhcp-match=set:armhttp,option:client-arch,19',
  'dhcp-match=set:ipxe,175',
];

function fullLines({ network, range, serverUrl, uefi }: DnsmasqOptions): string[] {
  const first = firstPrograms(uefi);
  return [
    '# Full DHCP: addresses and boot files. Only for a network that has no other DHCP server.',
    'dhcp-authoritative',
    `dhcp-range=${range.start},${range.end},${network.netmask},1h`,
    ...MATCHES,
    `dhcp-boot=tag:ipxe,${serverUrl}/boot.ipxe`,
    `dhcp-boot=tag:!ipxe,tag:bios,${first.bios}`,
    `dhcp-boot=tag:!ipxe,tag:efi64,${first.efi64}`,
    `dhcp-boot=tag:!ipxe,tag:arm64,${first.arm64}`,
    '# UEFI HTTP Boot: firmware ignores an answer without this vendor class.',
    'dhcp-option-force=tag:efihttp,60,HTTPClient',
    'dhcp-option-force=tag:armhttp,60,HTTPClient',
    `dhcp-boot=tag:!ipxe,tag:efihttp,${serverUrl}/tftp/${first.efi64}`,
    `dhcp-boot=tag:!ipxe,tag:armhttp,${serverUrl}/tftp/${first.arm64}`,
  ];
}

function proxyLines({ network, serverUrl, uefi }: DnsmasqOptions): string[] {
  const first = firstPrograms(uefi);
  return [
    "# ProxyDHCP: the site's own DHCP server gives the addresses, this one only the boot files.",
    `dhcp-range=${network.address},proxy,${network.netmask}`,
    ...MATCHES,
    ...SERVICES.map(
      ([service, machines]) => `pxe-service=tag:!ipxe,${service},"swarmboot",${first[machines]}`,
    ),
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
