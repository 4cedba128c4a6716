/** The giving half of a swarm: requests into the upload queue, interest into the choker, blocks out. */

import type { Bitset } from '../policy/bitset.ts';
import { Choker } from '../policy/choker.ts';
import { Rate } from '../policy/rate.ts';
import type { PeerConnection } from '../wire/peer-connection.ts';
import { PieceCache } from '../wire/piece-cache.ts';
import { UploadQueue } from '../wire/upload-queue.ts';
import type { SwarmShape } from './shape.ts';

export interface SeedingOptions {
  readonly shape: SwarmShape;
  /** What may be sent. */
  readonly have: Bitset;
  readonly read: (piece: number, target: Buffer) => Promise<void>;
  readonly bytesPerSecond: number;
  readonly cachedPieces: number;
  readonly slots: number;
  readonly now: () => number;
  readonly random: () => number;
}

export class Seeding {
  readonly #options: SeedingOptions;
  readonly #choker = new Choker();
  readonly #cache: PieceCache;
  readonly #queue: UploadQueue;
  readonly #rate: Rate;
  #sent = 0;

  constructor(options: SeedingOptions) {
    this.#options = options;
    this.#rate = new Rate(options.now());
    this.#cache = new PieceCache({
      pieceLength: options.shape.pieceLength,
      lengthOf: options.shape.lengthOf,
      read: options.read,
      most: options.cachedPieces,
    });
    this.#queue = new UploadQueue({
      cache: this.#cache,
      bytesPerSecond: options.bytesPerSecond,
      now: options.now,
      onSent: (bytes) => {
        this.#sent += bytes;
        this.#rate.add(bytes, options.now());
      },
    });
  }

  /** Block payload, in bytes. */
  get sent(): number {
    return this.#sent;
  }

  get bytesPerSecond(): number {
    return this.#rate.bytesPerSecond(this.#options.now());
  }

  /** Nothing is downloaded any more: the memory of that is for uploads. */
  growCache(pieces: number): void {
    this.#cache.grow(pieces);
  }

  /** `interestChanged`: time to deal the slots. */
  serve(peer: PeerConnection, interestChanged: () => void): void {
    const { wire } = peer;
    wire.on('interested', interestChanged);
    wire.on('uninterested', interestChanged);
    wire.on('request', (piece: number, begin: number, length: number) => {
      const request = { piece, begin, length };
      if (this.#options.have.has(piece)) this.#queue.push(peer, request);
      else peer.refuse(request);
    });
    wire.on('cancel', (piece: number, begin: number, length: number) => {
      // BEP 6: a cancel is answered by the block or by a reject.
      const request = { piece, begin, length };
      if (this.#queue.cancel(peer, request) && wire.hasFast) wire.reject(piece, begin, length);
    });
  }

  drained(): void {
    this.#queue.drained();
  }

  leave(peer: PeerConnection): void {
    this.#queue.drop(peer);
    this.#choker.forget(peer.key);
  }

  /** Deals the slots; `rateOf`: what a peer sends us, in bytes per second. */
  dealSlots(
    peers: ReadonlyMap<number, PeerConnection>,
    seeding: boolean,
    rateOf: (key: number) => number,
  ): void {
    const { slots, random, now } = this.#options;
    const snapshot = [...peers.values()].map(({ key, wire }) => ({
      key,
      interested: wire.peerInterested,
      unchoked: !wire.amChoking,
      bytesPerSecond: rateOf(key),
    }));
    const { choke, unchoke } = this.#choker.decide(snapshot, { seeding, slots, random }, now());
    for (const key of choke) {
      const peer = peers.get(key);
      if (!peer) continue;
      this.#queue.drop(peer);
      peer.wire.choke();
    }
    for (const key of unchoke) peers.get(key)?.wire.unchoke();
  }

  close(): void {
    this.#queue.close();
  }
}
