/**
 * How many connected peers have each piece. Peers that have everything are only counted, not spread over the array: they
 * make no piece rarer than another.
 */
import type { Bitset } from './bitset.ts';

export class Availability {
  readonly #counts: Uint16Array;
  #complete = 0;

  constructor(pieceCount: number) {
    this.#counts = new Uint16Array(pieceCount);
  }

  /** Connected peers with every piece. */
  get completePeers(): number {
    return this.#complete;
  }

  /** Peers that have `piece`, complete ones included. */
  of(piece: number): number {
    return this.#complete + this.#counts[piece]!;
  }

  /** Peers that have `piece` but not everything. */
  amongPartial(piece: number): number {
    return this.#counts[piece]!;
  }

  /** A peer showed its pieces. */
  add(pieces: Bitset): void {
    if (pieces.isFull) this.#complete++;
    else for (const piece of pieces) this.#counts[piece]!++;
  }

  /** The same peer is gone; `pieces` as they are now. */
  remove(pieces: Bitset): void {
    if (pieces.isFull) this.#complete--;
    else for (const piece of pieces) this.#counts[piece]!--;
  }

  /** A peer announced `piece`, which is in `pieces` already. */
  gained(pieces: Bitset, piece: number): void {
    this.#counts[piece]!++;
    if (!pieces.isFull) return;
    for (let index = 0; index < this.#counts.length; index++) this.#counts[index]!--;
    this.#complete++;
  }
}
