/** What the download policy knows of one connected peer. */
import type { PeerKey } from './active-piece.ts';
import { Bitset } from './bitset.ts';
import { BLOCK_BYTES, DEFAULT_REQUEST_QUEUE, RequestWindow } from './pipeline.ts';
import { Rate } from './rate.ts';
import { saltOf } from './rendezvous.ts';

/** Requests that were taken back but may still be answered; beyond this many the peer had its chance. */
const MOST_STALE = 4096;
/** A peer that is gone is done without this soon; a busy machine may stop for a second. */
const LEAST_PATIENCE_MS = 2000;
const BURST_SAMPLE_MS = 10;
const FIRST_REFUSAL_MS = 1000;
const LAST_REFUSAL_MS = 30_000;

/** A request for one block or several. It can be cancelled only as a whole, once no block of it is wanted any more. */
export interface OpenRequest {
  readonly piece: number;
  readonly begin: number;
  /** In bytes. */
  readonly length: number;
  /** Blocks of it that were not taken back. */
  wanted: number;
  /** In ms. */
  readonly askedAt: number;
}

export class DownloadPeer {
  readonly key: PeerKey;
  readonly salt: number;
  /** BEP 6: a choke rejects each request expressly. */
  readonly fast: boolean;
  readonly rate: Rate;
  /** The same, known sooner and rougher: good enough for the length of requests. */
  readonly burst: Rate;
  origin = false;
  requestQueue = DEFAULT_REQUEST_QUEUE;
  /** Blocks that it sends for one request. */
  mostBlocksPerRequest = 1;
  pieces: Bitset;
  choking = true;
  interested = false;
  /** A command to drop it is out. */
  leaving = false;
  /** Pieces it has that are missing here. */
  wanted = 0;
  readonly allowed = new Set<number>();
  /** Block id -> the request that asks for it. */
  readonly outstanding = new Map<number, OpenRequest>();
  /** Block id -> how often it was taken back without an answer yet. */
  readonly stale = new Map<number, number>();
  /** Since when something is outstanding or, later, when the last block came. */
  progressAt: number;
  snubs = 0;
  readonly window = new RequestWindow();
  /** It sent a block that was needed. */
  gave = false;
  /** Rejects since the last block, while it did not choke us. */
  refusalsInARow = 0;
  /** Rate when it was last kept busy. */
  busyBytesPerSecond = 0;
  readonly #refusals = new Map<number, { count: number; until: number }>();

  constructor(key: PeerKey, peerId: Uint8Array, fast: boolean, pieceCount: number, now: number) {
    this.key = key;
    this.salt = saltOf(peerId);
    this.fast = fast;
    this.pieces = new Bitset(pieceCount);
    this.rate = new Rate(now);
    this.burst = new Rate(now, BURST_SAMPLE_MS);
    this.progressAt = now;
  }

  get snubbed(): boolean {
    return this.snubs > 0;
  }

  /**
   * Shows only some of its pieces, each to few machines, so that they pass it on (BEP 16): what it shows is meant for this
   * machine.
   */
  get superSeeds(): boolean {
    return this.origin && !this.pieces.isFull;
  }

  /** How long it may owe blocks without sending any, in ms: as long as eight take at its rate. */
  patienceMs(most: number): number {
    const rate = this.busyBytesPerSecond;
    if (rate === 0) return most / 2;
    return Math.min(Math.max(LEAST_PATIENCE_MS, (8 * BLOCK_BYTES * 1000) / rate), most);
  }

  /** BEP 6: a choked peer may still ask for the pieces of its allowed-fast set. */
  mayAskFor(piece: number, now: number): boolean {
    if (this.leaving) return false;
    if (this.choking && !this.allowed.has(piece)) return false;
    if (!this.pieces.has(piece)) return false;
    const refusal = this.#refusals.get(piece);
    return refusal === undefined || refusal.until <= now;
  }

  /** `firstId`: id of the request's first block. */
  ask(request: OpenRequest, firstId: number, now: number): void {
    if (this.outstanding.size === 0) this.progressAt = now;
    for (let id = firstId; id < firstId + request.wanted; id++) this.outstanding.set(id, request);
  }

  /**
   * The block is not wanted from this peer any more; it may be on the way and will be received, to no effect. Returns the
   * request if it can be cancelled now.
   */
  takeBack(id: number): OpenRequest | undefined {
    const request = this.outstanding.get(id);
    if (!request) return undefined;
    this.outstanding.delete(id);
    if (this.stale.size < MOST_STALE) this.stale.set(id, (this.stale.get(id) ?? 0) + 1);
    return --request.wanted === 0 ? request : undefined;
  }

  /** An answer arrived for a request that was taken back. False if there was none. */
  settleStale(id: number): boolean {
    const count = this.stale.get(id);
    if (count === undefined) return false;
    if (count > 1) this.stale.set(id, count - 1);
    else this.stale.delete(id);
    return true;
  }

  /** It rejected a block of `piece` although it does not choke us: leave it alone, twice as long each time. */
  refused(piece: number, now: number): void {
    this.refusalsInARow++;
    const count = (this.#refusals.get(piece)?.count ?? 0) + 1;
    const pause = Math.min(FIRST_REFUSAL_MS * 2 ** (count - 1), LAST_REFUSAL_MS);
    this.#refusals.set(piece, { count, until: now + pause });
  }
}
