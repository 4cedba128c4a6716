/**
 * The guard of the UDP tracker (BEP 15): decides on each datagram before bittorrent-tracker sees it.
 *
 * BEP 15 has connection ids so that nobody can announce, or have answers sent, in another's name. bittorrent-tracker
 * gives everyone the same id; here it is a keyed hash of the address and the time. Pure: the clock comes in.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Protocol id of a connect request; bittorrent-tracker wants to see it in every request. */
const PROTOCOL_ID = Buffer.from('0000041727101980', 'hex');
const CONNECT = 0;
const ANNOUNCE = 1;
const SCRAPE = 2;
const ANNOUNCE_BYTES = 98;
const SCRAPE_HEAD_BYTES = 16;
const SCRAPE_LIMIT = 74;
const LAST_EVENT = 3;
/** An id lives for one to two of these. BEP 15: a client uses one for a minute, a tracker takes it for two. */
const ID_LIFE_MS = 120_000;

export type UdpVerdict =
  | { readonly kind: 'drop' }
  /** Send these bytes back. */
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  /** Hand this on to the tracker. */
  | { readonly kind: 'pass'; readonly message: Buffer };

const DROP: UdpVerdict = { kind: 'drop' };

export class UdpGuard {
  readonly #secret: Buffer;

  /** `secret`: 32 random bytes. */
  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  #id(address: string, period: number): Buffer {
    return createHmac('sha256', this.#secret).update(`${period} ${address}`).digest().subarray(0, 8);
  }

  /** Verdict on `message` from `address`. A message that passes is a copy, rewritten where it must not be believed. */
  judge(message: Buffer, address: string, nowMs: number): UdpVerdict {
    if (message.length < 16) return DROP;
    const id = message.subarray(0, 8);
    const action = message.readUInt32BE(8);
    const period = Math.floor(nowMs / ID_LIFE_MS);
    if (action === CONNECT) {
      if (!id.equals(PROTOCOL_ID)) return DROP;
      // action 0, the transaction id of the request, the connection id: 16 bytes for 16, no amplification
      return {
        kind: 'answer',
        bytes: Buffer.concat([Buffer.alloc(4), message.subarray(12, 16), this.#id(address, period)]),
      };
    }
    const known = [period, period - 1].some((candidate) => timingSafeEqual(id, this.#id(address, candidate)));
    if (!known) return DROP;
    const wellFormed =
      action === ANNOUNCE
        ? message.length >= ANNOUNCE_BYTES &&
          message.readUInt32BE(80) <= LAST_EVENT &&
          message.readUInt16BE(96) !== 0
        : action === SCRAPE &&
          message.length > SCRAPE_HEAD_BYTES &&
          (message.length - SCRAPE_HEAD_BYTES) % 20 === 0 &&
          message.length <= SCRAPE_HEAD_BYTES + SCRAPE_LIMIT * 20;
    if (!wellFormed) return DROP;
    const copy = Buffer.from(message);
    PROTOCOL_ID.copy(copy);
    // "IP address": the sender's word for where others shall connect. The address it was sent from is the answer.
    if (action === ANNOUNCE) copy.writeUInt32BE(0, 84);
    return { kind: 'pass', message: copy };
  }
}
