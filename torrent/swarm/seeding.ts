/** The giving half of a swarm: requests into the upload queue, interest into the choker, blocks out. */

import type { Bitset } from '../policy/bitset.ts';
import { Choker } from '../policy/choker.ts';
import { Rate } from '../policy/rate.ts';
import { type RevealInput, SuperSeeding } from '../policy/super-seeding.ts';
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
  /** Shows each piece to one peer at a time: see policy/super-seeding.ts. */
  readonly superSeeding: boolean;
  readonly now: () => number;
  readonly random: () => number;
}

export class Seeding {
  readonly #options: SeedingOptions;
  readonly #choker = new Choker();
  readonly #cache: PieceCache;
  readonly #queue: UploadQueue;
  readonly #rate: Rate;
  readonly #superSeeding: SuperSeeding | undefined;
  #sent = 0;

  constructor(options: SeedingOptions) {
    this.#options = options;
    this.#rate = new Rate(options.now());
    if (options.superSeeding) {
      const { pieceCount, pieceLength } = options.shape;
      this.#superSeeding = new SuperSeeding({ pieceCount, pieceLength, random: options.random });
    }
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

  /** A piece that was just stored, in case that somebody asks for it soon. */
  keep(piece: number, bytes: Uint8Array): void {
    this.#cache.keep(piece, bytes);
  }

  /** Tells a new peer what may be asked of us (BEP 3, 6), as the first message after the handshake. */
  greet({ wire }: PeerConnection): void {
    const { have } = this.#options;
    const shown = this.#superSeeding ? 0 : have.count;
    if (wire.hasFast && shown === have.size) wire.haveAll();
    else if (wire.hasFast && shown === 0) wire.haveNone();
    else if (shown > 0) wire.bitfield(have.bytes.slice());
  }

  /** Shows peers what they shall fetch next, if this is an origin that super-seeds. */
  reveal(
    { peers, copies }: Pick<RevealInput, 'peers' | 'copies'>,
    room: ReadonlyMap<number, PeerConnection>,
  ): void {
    if (!this.#superSeeding) return;
    const input = { peers, copies, bytesPerSecond: this.bytesPerSecond };
    for (const { peer, piece } of this.#superSeeding.decide(input, this.#options.now()))
      room.get(peer)?.wire.have(piece);
  }

  /** `interestChanged`: time to deal the slots. */
  serve(peer: PeerConnection, interestChanged: () => void): void {
    const { wire, key } = peer;
    this.#superSeeding?.joined(key, this.#options.now());
    wire.on('interested', interestChanged);
    wire.on('uninterested', interestChanged);
    wire.on('request', (piece: number, begin: number, length: number) => {
      const request = { piece, begin, length };
      this.#superSeeding?.asked(key, this.#options.now());
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

  /** `complete`: the peer has every piece. */
  leave(peer: PeerConnection, complete: boolean): void {
    this.#queue.drop(peer);
    this.#choker.forget(peer.key);
    this.#superSeeding?.left(peer.key, complete);
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
