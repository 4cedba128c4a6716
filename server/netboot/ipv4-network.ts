/** IPv4 addresses and networks, as numbers. Pure. */

export interface Ipv4Network {
  /** The address itself, as given. */
  readonly address: string;
  readonly prefixLength: number;
  readonly netmask: string;
  /** First and last address that a machine may have, as numbers. */
  readonly firstHost: number;
  readonly lastHost: number;
}

/** `10.0.0.1` to its 32-bit number; undefined for anything else (leading zeros included: some take them for octal). */
export function parseIpv4(text: string): number | undefined {
  const match = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(text);
  if (!match) return undefined;
  const parts = match.slice(1).map(Number);
  return parts.every((part) => part <= 255) ? parts.reduce((sum, part) => sum * 256 + part, 0) : undefined;
}

export const formatIpv4 = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/** `10.0.0.1/24`: an address of a host and the length of its network's prefix, 8 to 30; undefined for anything else. */
export function parseIpv4Network(text: string): Ipv4Network | undefined {
  const [address = '', length = '', ...rest] = text.split('/');
  const value = parseIpv4(address);
  const prefixLength = /^\d{1,2}$/.test(length) ? Number(length) : 0;
  if (value === undefined || rest.length > 0 || prefixLength < 8 || prefixLength > 30) return undefined;
  const size = 2 ** (32 - prefixLength);
  const network = Math.floor(value / size) * size;
  const [firstHost, lastHost] = [network + 1, network + size - 2];
  if (value < firstHost || value > lastHost) return undefined;
  return { address, prefixLength, netmask: formatIpv4(2 ** 32 - size), firstHost, lastHost };
}
