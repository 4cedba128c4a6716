/**
 * What dnsmasq's file is to say, from what was asked for now and what the file says already. Pure.
 *
 * Invariant: setup without options changes nothing that somebody chose. A server with `--mode full` would otherwise stop
 * giving out addresses, and one with `--uefi shim` stop machines with Secure Boot, at the next run.
 */
import type { Snippet } from '../doctor/snippet.ts';
import type { DnsmasqOptionTexts } from '../netboot/dnsmasq-options.ts';
import { parseIpv4, parseIpv4Network } from '../netboot/ipv4-network.ts';

export interface AskedFor {
  readonly mode: 'proxy' | 'full' | undefined;
  readonly uefi: 'ipxe' | 'shim' | undefined;
  readonly httpPort: number;
}

/** A range of another network is that of an address which the server had before. */
function rangeIn(cidr: string, range: string | undefined): string | undefined {
  const network = parseIpv4Network(cidr);
  const inside = range?.split(',').every((end) => {
    const address = parseIpv4(end);
    return network && address !== undefined && address >= network.firstHost && address <= network.lastHost;
  });
  return inside ? range : undefined;
}

/** A name that leads to the server stays; an address is the one that the server has now. */
function keptUrl(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  return parseIpv4(new URL(url).hostname) === undefined ? url : undefined;
}

/** `cidr` is of the interface that machines boot on. */
export const netbootChoices = (
  { mode, uefi, httpPort }: AskedFor,
  kept: Snippet | undefined,
  cidr: string,
): Pick<DnsmasqOptionTexts, 'mode' | 'uefi' | 'range' | 'ra' | 'serverUrl'> => ({
  mode: mode ?? kept?.mode ?? 'proxy',
  uefi: uefi ?? kept?.uefi ?? 'ipxe',
  range: rangeIn(cidr, kept?.range),
  ra: kept?.raPrefix,
  serverUrl: keptUrl(kept?.serverUrl) ?? `http://${cidr.split('/')[0]}:${httpPort}`,
});
