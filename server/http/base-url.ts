/**
 * The URL under which a machine reaches this server. It goes into boot scripts and torrents, so a Host header is used
 * only if it is a plain host and port: anything else could smuggle a command into an iPXE script.
 */
const HOST = /^(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::\d{1,5})?$/;

export interface RequestOrigin {
  readonly hostHeader: string | undefined;
  /** The address that the machine connected to. */
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/** `http://host:port` without a final slash. */
export function baseUrl(origin: RequestOrigin, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  const { hostHeader } = origin;
  if (hostHeader !== undefined && HOST.test(hostHeader)) {
    const url = URL.parse(`http://${hostHeader}`);
    if (url) return url.origin;
  }
  const address = (origin.localAddress ?? '127.0.0.1').replace(/^::ffff:/, '').replace(/%.*$/, '');
  return `http://${bracketed(address)}:${origin.localPort ?? 80}`;
}

/** Parses `--public-url`; undefined for what is no http URL of a host (a path would not survive the joins). */
export function parsePublicUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:' || url.username !== '' || url.search !== '' || url.hash !== '')
    return undefined;
  return url.pathname === '/' ? url.origin : undefined;
}

/** Host name or address of a base URL, without brackets. */
export const hostOf = (base: string): string => new URL(base).hostname.replace(/^\[|\]$/g, '');
