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

export class Landing {
  readonly #download: Download;
  readonly #buffers: PieceBuffers;
  readonly #shape: SwarmShape;
  /** Block id -> the connection that is writing it in place. */
  readonly #holders = new Map<number, PeerConnection>();

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
    for (let id = first; id < end; id++) if (this.#holders.has(id)) return peer.scratch(length);
    for (let id = first; id < end; id++) this.#holders.set(id, peer);
    return this.bytesOf(piece).subarray(begin, begin + length);
  }

  /** Returns the blocks where they are now: in their places if they were needed. */
  landed(peer: PeerConnection, piece: number, begin: number, bytes: Uint8Array): Uint8Array {
    const first = this.#download.idOf(piece, begin / BLOCK_BYTES);
    // A payload holds the places of all its blocks or of none.
    if (this.#holders.get(first) === peer) {
      const end = first + Math.ceil(bytes.length / BLOCK_BYTES);
      for (let id = first; id < end; id++) this.#holders.delete(id);
      return bytes;
    }
    let home: Uint8Array | undefined;
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = bytes.subarray(at, at + BLOCK_BYTES);
      if (this.#download.standing(peer.key, piece, begin + at, block.length) !== 'needed') continue;
      const holder = this.#holders.get(first + at / BLOCK_BYTES);
      if (holder) this.#divert(holder);
      home ??= this.bytesOf(piece).subarray(begin, begin + bytes.length);
      home.set(block, at);
    }
    return home ?? bytes;
  }

  /** The piece is no longer active: its buffer goes back, and nobody may write to it. */
  release(piece: number): void {
    const first = this.#download.idOf(piece, 0);
    for (const [id, holder] of this.#holders) {
      if (id >= first && id < first + this.#download.blocksPerPiece) this.#divert(holder);
    }
    this.#buffers.release(piece);
  }

  /** The connection is gone, whatever it was writing. */
  leave(peer: PeerConnection): void {
    for (const [id, holder] of this.#holders) if (holder === peer) this.#holders.delete(id);
  }

  #divert(holder: PeerConnection): void {
    this.leave(holder);
    holder.divert();
  }
}
