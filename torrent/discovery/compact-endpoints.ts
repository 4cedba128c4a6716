/**
 * Endpoints in compact form: 4 or 16 bytes of address and 2 of port (BEP 23, BEP 7). Pure.
 *
 * Reading keeps only what can be dialed: unicast addresses with a port. IPv6 text is in the form of RFC 5952, as Node
 * writes it, so that one peer has one name.
 */
import type { Endpoint } from '../endpoint.ts';

export type AddressFamily = 'IPv4' | 'IPv6';
const BYTES = { IPv4: 6, IPv6: 18 } as const;

const GROUPS = 8;
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/i;

/** Only on the link, and meaningless without the interface: fe80::/10. */
export const isLinkLocalV6 = (host: string): boolean => LINK_LOCAL.test(host);

function addressV4(host: string): Buffer | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host)?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) ? Buffer.from(parts) : undefined;
}

function addressV6(host: string): Buffer | undefined {
  const [plain = ''] = host.split('%');
  if (!/^[0-9a-f:]{2,39}$/i.test(plain)) return undefined;
  const [head = '', tail, more] = plain.split('::');
  if (more !== undefined) return undefined;
  const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const missing = GROUPS - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array<string>(missing).fill('0'), ...after];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const bytes = Buffer.alloc(16);
  for (const [index, group] of groups.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}

/** undefined for host names and for what has no compact form. A scope (`%eth0`) is left out: it means nothing elsewhere. */
export function packEndpoint({ host, port }: Endpoint): { family: AddressFamily; bytes: Buffer } | undefined {
  const family = host.includes(':') ? 'IPv6' : 'IPv4';
  const address = family === 'IPv6' ? addressV6(host) : addressV4(host);
  if (!address || port < 1 || port > 65_535) return undefined;
  return { family, bytes: Buffer.concat([address, Buffer.from([port >> 8, port & 255])]) };
}

/** RFC 5952: lower case, no leading zeros, the first of the longest runs of two and more zeros as `::`. */
function textV6(bytes: Buffer): string {
  const groups = Array.from({ length: GROUPS }, (_, index) => bytes.readUInt16BE(index * 2));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < GROUPS; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.start < 0) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}

function isUnicast(address: Buffer): boolean {
  if (address.length === 4) return address[0] !== 0 && address[0]! < 224;
  // ::, IPv4 in IPv6 clothes, and multicast. ::1 is fine.
  const zeros = address.findIndex((byte) => byte !== 0);
  if (zeros < 0 || address[0] === 0xff) return false;
  return !(zeros === 10 && address.readUInt16BE(10) === 0xffff);
}

/** One endpoint for each entry, undefined where nobody can be dialed. undefined if the length is wrong. */
export function readCompact(bytes: Buffer, family: AddressFamily): (Endpoint | undefined)[] | undefined {
  const size = BYTES[family];
  if (bytes.length % size !== 0) return undefined;
  return Array.from({ length: bytes.length / size }, (_, index) => {
    const address = bytes.subarray(index * size, index * size + size - 2);
    const port = bytes.readUInt16BE(index * size + size - 2);
    if (port === 0 || !isUnicast(address)) return undefined;
    return { host: family === 'IPv4' ? [...address].join('.') : textV6(address), port };
  });
}
