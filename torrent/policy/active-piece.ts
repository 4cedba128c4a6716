/**
 * One piece in flight: which of its blocks are free, asked for, or here. The block bookkeeping is torrent-piece's; payload
 * is only referenced (views into the piece's buffer), never collected by it.
 *
 * Invariants: a block is free, or asked for (`requesters` > 0), or here; `free` counts the first kind. A `single` piece
 * takes blocks from its leader only.
 */
import Piece from 'torrent-piece';
import { BLOCK_BYTES } from './pipeline.ts';

export type PeerKey = number;
/** No peer: the piece comes from a webseed as a whole. */
export const WEBSEED_KEY: PeerKey = -1;

const NO_SOURCE = -2;

export class ActivePiece {
  readonly index: number;
  readonly length: number;
  readonly blocks: number;
  readonly beganAt: number;
  /** After a hash failure with several sources: every block from one, so that the next failure names it. */
  readonly single: boolean;
  leader: PeerKey | undefined;
  /** Complete and being checked: nothing may be asked for or changed. */
  sealed = false;
  free: number;
  /** How many peers each block is outstanding at. */
  readonly requesters: number[];
  /** When each block was last asked for, in ms. */
  readonly askedAt: number[];
  readonly #sources: PeerKey[];
  readonly #piece: Piece;

  constructor(index: number, length: number, single: boolean, now: number) {
    this.index = index;
    this.length = length;
    this.single = single;
    this.beganAt = now;
    this.blocks = Math.ceil(length / BLOCK_BYTES);
    this.free = this.blocks;
    // Typed arrays of this length lie outside the heap, and cost more to make than a piece costs otherwise.
    this.requesters = new Array<number>(this.blocks).fill(0);
    this.askedAt = new Array<number>(this.blocks).fill(0);
    this.#sources = new Array<PeerKey>(this.blocks).fill(NO_SOURCE);
    this.#piece = new Piece(length);
  }

  blockLength(block: number): number {
    return this.#piece.chunkLength(block);
  }

  isHere(block: number): boolean {
    return this.#piece.get(block) != null;
  }

  /** Takes a free block for one peer, or -1. */
  reserve(now: number): number {
    while (this.free > 0) {
      const block = this.#piece.reserve();
      if (block < 0) return -1;
      // A block can arrive late, after it was given back: torrent-piece still lists it as free.
      if (this.isHere(block)) continue;
      this.free--;
      this.requesters[block] = 1;
      this.askedAt[block] = now;
      return block;
    }
    return -1;
  }

  /** Endgame: one more peer is asked for a block that is outstanding elsewhere. */
  share(block: number, now: number): void {
    this.requesters[block]!++;
    this.askedAt[block] = now;
  }

  /** One of its requesters will not send the block. */
  giveBack(block: number): void {
    if (this.requesters[block] === 0 || --this.requesters[block]! > 0 || this.isHere(block)) return;
    this.free++;
    this.#piece.cancel(block);
  }

  /** `bytes` is the block in its place. True if the piece is complete now. */
  put(block: number, bytes: Uint8Array, source: PeerKey): boolean {
    if (this.requesters[block] === 0) this.free--;
    else this.requesters[block]!--;
    this.#sources[block] = source;
    return this.#piece.set(block, bytes, source);
  }

  get received(): number {
    return this.length - this.#piece.missing;
  }

  /** Who sent each block. */
  get sourceOfBlocks(): readonly PeerKey[] {
    return this.#sources;
  }
}
