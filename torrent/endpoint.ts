/** Where a peer listens, and its text form `host:port` or `[v6]:port` (as in BEP 9's `x.pe`). */
import { isIPv6 } from 'node:net';

export interface Endpoint {
  /** IPv4, IPv6 without brackets, or a host name. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

const HOST = /^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,251}[a-zA-Z0-9.])?$/;

/** undefined where the host is no address or host name, or the port is outside 1..65535. */
export function makeEndpoint(host: string, port: number): Endpoint | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65535) return undefined;
  if (!HOST.test(host) && !isIPv6(host)) return undefined;
  return { host, port };
}

/** Reads `10.0.0.1:6881`, `name.example:6881` or `[fe80::1]:6881`; undefined for anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%a-z]{2,60})\]|([^[\]:]{1,253})):(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const [, bracketed, plain, port] = match;
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  return makeEndpoint(bracketed ?? plain ?? '', Number(port));
}

/** The inverse of `parseEndpoint`. */
export const formatEndpoint = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
