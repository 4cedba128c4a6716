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
    const id = this.#download.idOf(piece, begin / BLOCK_BYTES);
    if (standing === 'surplus' || this.#holders.has(id)) return peer.scratch(length);
    this.#holders.set(id, peer);
    return this.bytesOf(piece).subarray(begin, begin + length);
  }

  /** Returns the block where it is now: in its place if it was needed. */
  landed(peer: PeerConnection, piece: number, begin: number, bytes: Uint8Array): Uint8Array {
    const id = this.#download.idOf(piece, begin / BLOCK_BYTES);
    const holder = this.#holders.get(id);
    if (holder === peer) {
      this.#holders.delete(id);
      return bytes;
    }
    if (this.#download.standing(peer.key, piece, begin, bytes.length) !== 'needed') return bytes;
    if (holder) this.#divert(id, holder);
    const home = this.bytesOf(piece).subarray(begin, begin + bytes.length);
    home.set(bytes);
    return home;
  }

  /** The piece is no longer active: its buffer goes back, and nobody may write to it. */
  release(piece: number): void {
    const first = this.#download.idOf(piece, 0);
    for (const [id, holder] of this.#holders) {
      if (id >= first && id < first + this.#download.blocksPerPiece) this.#divert(id, holder);
    }
    this.#buffers.release(piece);
  }

  /** The connection is gone, whatever it was writing. */
  leave(peer: PeerConnection): void {
    for (const [id, holder] of this.#holders) if (holder === peer) this.#holders.delete(id);
  }

  #divert(id: number, holder: PeerConnection): void {
    this.#holders.delete(id);
    holder.divert();
  }
}
