/** Datagrams of the UDP tracker protocol (BEP 15), ours out and the tracker's in. Pure; reading never throws. */
import type { Endpoint } from '../endpoint.ts';
import { type AddressFamily, readCompact } from './compact-endpoints.ts';

/** `connect` asks for a connection id, which an `announce` must carry: so a tracker knows that we can hear it. */
const PROTOCOL_ID = 0x41727101980n;
const ACTION = { connect: 0, announce: 1, error: 3 } as const;
/** Most peers taken from one answer. */
const MOST_PEERS = 200;

export interface UdpAnnounce {
  /** 8 bytes, from the answer to `connect`. */
  readonly connectionId: Uint8Array;
  readonly transaction: number;
  /** 20 bytes each. */
  readonly infohash: Uint8Array;
  readonly peerId: Uint8Array;
  readonly event: 'started' | 'completed' | 'stopped' | undefined;
  /** In bytes. */
  readonly downloaded: number;
  readonly left: number;
  readonly uploaded: number;
  /** Tells apart two of us behind one address; 32 bits. */
  readonly key: number;
  readonly peersWanted: number;
  /** TCP, ours. */
  readonly port: number;
}

export type UdpAnswer =
  | { readonly is: 'connected'; readonly connectionId: Buffer }
  | { readonly is: 'announced'; readonly intervalSeconds: number; readonly peers: readonly Endpoint[] }
  /** In the tracker's words. */
  | { readonly is: 'failure'; readonly reason: string }
  | { readonly is: 'malformed'; readonly reason: string };

const EVENTS = { none: 0, completed: 1, started: 2, stopped: 3 } as const;
const MOST = 2n ** 63n - 1n;
const counter = (bytes: number): bigint => {
  const whole = Number.isFinite(bytes) ? BigInt(Math.max(0, Math.floor(bytes))) : 0n;
  return whole > MOST ? MOST : whole;
};

/** `transaction`: 32 bits that come back in the answer. */
export function connectDatagram(transaction: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(PROTOCOL_ID, 0);
  bytes.writeUInt32BE(ACTION.connect, 8);
  bytes.writeUInt32BE(transaction, 12);
  return bytes;
}

export function announceDatagram(announce: UdpAnnounce): Buffer {
  const bytes = Buffer.alloc(98);
  bytes.set(announce.connectionId.subarray(0, 8), 0);
  bytes.writeUInt32BE(ACTION.announce, 8);
  bytes.writeUInt32BE(announce.transaction, 12);
  bytes.set(announce.infohash.subarray(0, 20), 16);
  bytes.set(announce.peerId.subarray(0, 20), 36);
  bytes.writeBigUInt64BE(counter(announce.downloaded), 56);
  bytes.writeBigUInt64BE(counter(announce.left), 64);
  bytes.writeBigUInt64BE(counter(announce.uploaded), 72);
  bytes.writeUInt32BE(EVENTS[announce.event ?? 'none'], 80);
  // 84: our address, 0 for the one that the datagram comes from.
  bytes.writeUInt32BE(announce.key, 88);
  bytes.writeInt32BE(announce.peersWanted, 92);
  bytes.writeUInt16BE(announce.port, 96);
  return bytes;
}

const malformed = (reason: string): UdpAnswer => ({ is: 'malformed', reason });

/**
 * What came back for `transaction`, an announce or a connect. `family` is that of the datagram, and of the peers in it:
 * nothing else says how long an address is.
 */
export function parseUdpAnswer(
  datagram: Buffer,
  asked: {
    readonly transaction: number;
    readonly action: 'connect' | 'announce';
    readonly family: AddressFamily;
  },
): UdpAnswer {
  if (datagram.length < 8 || datagram.readUInt32BE(4) !== asked.transaction)
    return malformed('another transaction');
  const action = datagram.readUInt32BE(0);
  if (action === ACTION.error) return { is: 'failure', reason: datagram.subarray(8, 208).toString('latin1') };
  if (action !== ACTION[asked.action])
    return malformed(`action ${action} in place of ${ACTION[asked.action]}`);
  if (asked.action === 'connect') {
    if (datagram.length < 16) return malformed(`a handshake of ${datagram.length} bytes`);
    return { is: 'connected', connectionId: Buffer.from(datagram.subarray(8, 16)) };
  }
  if (datagram.length < 20) return malformed(`an announce message of ${datagram.length} bytes`);
  const entries = readCompact(datagram.subarray(20), asked.family);
  if (!entries)
    return malformed(`${datagram.length - 20} bytes of peers, no multiple of an ${asked.family} peer`);
  const peers = entries.filter((peer) => peer !== undefined).slice(0, MOST_PEERS);
  return { is: 'announced', intervalSeconds: datagram.readUInt32BE(8), peers };
}
