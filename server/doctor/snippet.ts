/** Reads back what `swarmboot dnsmasq` and `swarmboot setup` wrote. Pure. */
export interface Snippet {
  readonly interface: string | undefined;
  readonly tftpRoot: string | undefined;
  /** Base URL of the boot server, without a final slash. */
  readonly serverUrl: string | undefined;
  readonly mode: 'proxy' | 'full';
  /** What UEFI machines load first. */
  readonly uefi: 'ipxe' | 'shim';
  /** `START,END` that full DHCP gives out. */
  readonly range: string | undefined;
  /** IPv6 prefix of router advertisements. */
  readonly raPrefix: string | undefined;
}

export function parseSnippet(text: string): Snippet {
  const line = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  return {
    interface: line(/^interface=(\S+)$/m),
    tftpRoot: line(/^tftp-root=(\S+)$/m),
    serverUrl: line(/^dhcp-boot=tag:ipxe,(http:\S+)\/boot\.ipxe$/m),
    mode: /^dhcp-range=[^,\n]+,proxy,/m.test(text) ? 'proxy' : 'full',
    uefi: /\bshim\w+\.efi$/m.test(text) ? 'shim' : 'ipxe',
    range: line(/^dhcp-range=([\d.]+,[\d.]+),/m),
    raPrefix: line(/^dhcp-range=([^,\n]+),ra-only,/m),
  };
}
