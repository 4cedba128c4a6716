/**
 * Where blocks land, and what becomes of a piece whose blocks are all here: checked, written once, announced.
 *
 * Invariant: at most one connection writes to a given block's place at a time, none to a piece that is sealed or
 * released. Everyone else's bytes go to scratch memory and are copied if they turn out to be first.
 */
import type { Download } from '../policy/download.ts';
import { BLOCK_BYTES } from '../policy/pipeline.ts';
import type { PeerConnection } from '../wire/peer-connection.ts';
import type { PieceBuffers } from '../wire/piece-buffers.ts';
import type { SwarmShape } from './shape.ts';

/** Blocks by their ids, `end` not among them. */
interface Place {
  readonly first: number;
  readonly end: number;
}

export class Landing {
  readonly #download: Download;
  readonly #buffers: PieceBuffers;
  readonly #shape: SwarmShape;
  /** What each connection is writing in place: one payload at a time, as they come. */
  readonly #places = new Map<PeerConnection, Place>();

  constructor(download: Download, buffers: PieceBuffers, shape: SwarmShape) {
    this.#download = download;
    this.#buffers = buffers;
    this.#shape = shape;
  }

  bytesOf(piece: number): Buffer {
    return this.#buffers.of(piece, this.#shape.lengthOf(piece));
  }

  /** See `FramerHandlers.land`. */
  land(peer: PeerConnection, piece: number, begin: number, length: number): Uint8Array | undefined {
    if (piece >= this.#shape.pieceCount) return undefined;
    const standing = this.#download.standing(peer.key, piece, begin, length);
    if (standing === 'unrequested') return undefined;
    if (standing === 'surplus') return peer.scratch(length);
    const first = this.#download.idOf(piece, begin / BLOCK_BYTES);
    const end = first + Math.ceil(length / BLOCK_BYTES);
    if (this.#holderOf(first, end)) return peer.scratch(length);
    this.#places.set(peer, { first, end });
    return this.bytesOf(piece).subarray(begin, begin + length);
  }

  /** Returns the blocks where they are now: in their places if they were needed. */
  landed(peer: PeerConnection, piece: number, begin: number, bytes: Uint8Array): Uint8Array {
    // A payload holds the places of all its blocks or of none.
    if (this.#places.delete(peer)) return bytes;
    const first = this.#download.idOf(piece, begin / BLOCK_BYTES);
    let home: Uint8Array | undefined;
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = bytes.subarray(at, at + BLOCK_BYTES);
      if (this.#download.standing(peer.key, piece, begin + at, block.length) !== 'needed') continue;
      const id = first + at / BLOCK_BYTES;
      const holder = this.#holderOf(id, id + 1);
      if (holder) this.#divert(holder);
      home ??= this.bytesOf(piece).subarray(begin, begin + bytes.length);
      home.set(block, at);
    }
    return home ?? bytes;
  }

  /** The piece is no longer active: its buffer goes back, and nobody may write to it. */
  release(piece: number): void {
    const first = this.#download.idOf(piece, 0);
    const end = first + this.#download.blocksPerPiece;
    for (let holder = this.#holderOf(first, end); holder; holder = this.#holderOf(first, end))
      this.#divert(holder);
    this.#buffers.release(piece);
  }

  /** The connection is gone, whatever it was writing. */
  leave(peer: PeerConnection): void {
    this.#places.delete(peer);
  }

  /** Who is writing any of these blocks in place. */
  #holderOf(first: number, end: number): PeerConnection | undefined {
    for (const [holder, place] of this.#places) if (place.first < end && first < place.end) return holder;
    return undefined;
  }

  #divert(holder: PeerConnection): void {
    this.leave(holder);
    holder.divert();
  }
}
