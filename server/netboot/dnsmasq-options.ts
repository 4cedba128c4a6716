/**
 * Parses the options of `swarmboot dnsmasq`.
 *
 * Invariant: every value of a `DnsmasqOptions` fits one field of one line of dnsmasq's configuration: no line break, comma,
 * quote or # can be in it, so no option can smuggle in another.
 */
import { isIPv6 } from 'node:net';
import { Failure } from '../failure.ts';
import { parsePublicUrl } from '../http/base-url.ts';
import { formatIpv4, type Ipv4Network, parseIpv4, parseIpv4Network } from './ipv4-network.ts';

export interface DnsmasqOptions {
  readonly interface: string;
  readonly network: Ipv4Network;
  readonly mode: 'proxy' | 'full';
  /** What UEFI machines load first. */
  readonly uefi: 'ipxe' | 'shim';
  /** Addresses that full DHCP gives out. */
  readonly range: { readonly start: string; readonly end: string };
  /** IPv6 prefix of router advertisements, ending in `::`; undefined sends none. */
  readonly raPrefix: string | undefined;
  /** Base URL of `swarmboot serve`, without a final slash. */
  readonly serverUrl: string;
  readonly tftpRoot: string;
}

export interface DnsmasqOptionTexts {
  readonly interface: string;
  readonly address: string;
  readonly mode: 'proxy' | 'full';
  readonly uefi: 'ipxe' | 'shim';
  readonly range: string | undefined;
  readonly ra: string | undefined;
  readonly serverUrl: string | undefined;
  readonly tftpRoot: string;
}

const DEFAULT_HTTP_PORT = 7080;

function refuse(option: string, value: string, takes: string): never {
  throw new Failure('bad-option', `${option} "${value}" is not ${takes}`);
}

function parseRange(text: string | undefined, network: Ipv4Network): DnsmasqOptions['range'] {
  if (text === undefined) {
    // The upper half: routers and servers usually sit at the lower end.
    const middle = Math.floor((network.firstHost + network.lastHost) / 2) + 1;
    return { start: formatIpv4(middle), end: formatIpv4(network.lastHost) };
  }
  const [start = '', end = '', ...rest] = text.split(',');
  const [from, to] = [parseIpv4(start), parseIpv4(end)];
  const inside =
    from !== undefined &&
    to !== undefined &&
    rest.length === 0 &&
    from >= network.firstHost &&
    from <= to &&
    to <= network.lastHost;
  if (!inside) refuse('--range', text, `START,END within ${network.address}/${network.prefixLength}`);
  return { start, end };
}

/** `fd77::` or `fd77::/64`: SLAAC works with prefixes of 64 bits only (RFC 4862). */
function parsePrefix(text: string): string {
  const prefix = text.replace(/\/64$/, '');
  if (!isIPv6(prefix) || !/^[0-9a-fA-F:]{1,40}::$/.test(prefix)) {
    refuse('--ra', text, 'an IPv6 prefix of 64 bits like fd77::/64');
  }
  return prefix.toLowerCase();
}

/** Throws `Failure` `bad-option`. */
export function parseDnsmasqOptions(texts: DnsmasqOptionTexts): DnsmasqOptions {
  // IFNAMSIZ is 16 with the final zero.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(texts.interface))
    refuse('--interface', texts.interface, 'the name of a network interface');
  const network =
    parseIpv4Network(texts.address) ??
    refuse('--address', texts.address, "this server's address with prefix length, like 192.168.1.10/24");
  const url = texts.serverUrl ?? `http://${network.address}:${DEFAULT_HTTP_PORT}`;
  const serverUrl = parsePublicUrl(url) ?? refuse('--server-url', url, 'a URL like http://192.168.1.10:7080');
  if (!/^\/[A-Za-z0-9._/+-]{0,1000}$/.test(texts.tftpRoot))
    refuse('--tftp-root', texts.tftpRoot, 'an absolute path of letters, digits and . _ - + /');
  return {
    interface: texts.interface,
    network,
    mode: texts.mode,
    uefi: texts.uefi,
    range: parseRange(texts.range, network),
    raPrefix: texts.ra === undefined ? undefined : parsePrefix(texts.ra),
    serverUrl,
    tftpRoot: texts.tftpRoot,
  };
}
