/**
 * A DHCPDISCOVER that only asks who is there, and what comes back (RFC 2131, 2132). Pure.
 *
 * It is never followed by a DHCPREQUEST: the server that offers forgets its offer, and no lease is taken.
 */
import { formatIpv4 } from '../netboot/ipv4-network.ts';

const MAGIC = 0x63825363;
const OPTIONS_AT = 240;
const [MESSAGE_TYPE, SERVER_ID, END, PAD] = [53, 54, 255, 0];
const [DISCOVER, OFFER] = [1, 2];
const BROADCAST_FLAG = 0x8000;

/** `mac` with colons; `xid` tells our answers from those of others. */
export function makeDiscover(mac: string, xid: number): Buffer {
  const packet = Buffer.alloc(300); // BOOTP's least length, below which some relays drop it
  packet.set([1, 1, 6, 0]); // BOOTREQUEST, Ethernet
  packet.writeUInt32BE(xid, 4);
  // The answer is to be broadcast: we have an address already, which is not the one that is offered.
  packet.writeUInt16BE(BROADCAST_FLAG, 10);
  packet.set(Buffer.from(mac.replaceAll(':', ''), 'hex'), 28);
  packet.writeUInt32BE(MAGIC, 236);
  packet.set([MESSAGE_TYPE, 1, DISCOVER, END], OPTIONS_AT);
  return packet;
}

export interface Offer {
  /** Of the server that answered. */
  readonly server: string;
  /** The address that it would give; undefined from a ProxyDHCP server, which gives none. */
  readonly address: string | undefined;
}

/** The offer to `xid` in a packet; undefined for anything else. */
export function parseOffer(packet: Buffer, xid: number): Offer | undefined {
  if (packet.length < OPTIONS_AT || packet[0] !== 2 || packet.readUInt32BE(4) !== xid) return undefined;
  if (packet.readUInt32BE(236) !== MAGIC) return undefined;
  const options = new Map<number, Buffer>();
  for (let at = OPTIONS_AT; at < packet.length; ) {
    const code = packet[at++];
    if (code === END || code === undefined) break;
    if (code === PAD) continue;
    const length = packet[at++] ?? 0;
    if (at + length > packet.length) return undefined;
    options.set(code, packet.subarray(at, at + length));
    at += length;
  }
  const type = options.get(MESSAGE_TYPE);
  const server = options.get(SERVER_ID);
  if (type?.[0] !== OFFER || server?.length !== 4) return undefined;
  const address = packet.readUInt32BE(16);
  return {
    server: formatIpv4(server.readUInt32BE(0)),
    address: address === 0 ? undefined : formatIpv4(address),
  };
}
