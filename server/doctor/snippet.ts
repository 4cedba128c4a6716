/** Reads back what `swarmboot dnsmasq` wrote, for the checks. Pure. */
export interface Snippet {
  readonly interface: string | undefined;
  readonly tftpRoot: string | undefined;
  /** Base URL of the boot server, without a final slash. */
  readonly serverUrl: string | undefined;
  readonly mode: 'proxy' | 'full';
}

export function parseSnippet(text: string): Snippet {
  const line = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  return {
    interface: line(/^interface=(\S+)$/m),
    tftpRoot: line(/^tftp-root=(\S+)$/m),
    serverUrl: line(/^dhcp-boot=tag:ipxe,(http:\S+)\/boot\.ipxe$/m),
    mode: /^dhcp-range=[^,\n]+,proxy,/m.test(text) ? 'proxy' : 'full',
  };
}
