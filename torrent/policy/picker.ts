/**
 * Which piece to begin next from one peer. Rarest first with a random choice among equals; from an origin (or a
 * webseed) first the pieces that nobody has and that fall to this machine by rendezvous ownership.
 */
import type { Bitset } from './bitset.ts';

export interface PickInput {
  /** What the source has. */
  readonly offered: Bitset;
  /** Here or in flight. */
  readonly taken: Bitset;
  /** The source may be asked for it. */
  isAllowed(piece: number): boolean;
  /** Peers other than origins that have the piece. */
  copies(piece: number): number;
  readonly random: () => number;
}

export interface OriginPickInput extends PickInput {
  isMine(piece: number): boolean;
  /** Nothing is in flight from the origin: better a piece that another machine owns than an idle server. */
  readonly idle: boolean;
  /** Nothing is in flight from other peers: better a piece that they have too than to wait. */
  readonly starving: boolean;
}

/** Keeps one of the items offered to it, each with the same chance (reservoir of one). */
class Draw {
  chosen = -1;
  #offered = 0;
  readonly #random: () => number;
  constructor(random: () => number) {
    this.#random = random;
  }
  offer(piece: number): void {
    if (this.#random() * ++this.#offered < 1) this.chosen = piece;
  }
  restart(piece: number): void {
    this.#offered = 1;
    this.chosen = piece;
  }
}

/** A piece, or -1. */
export function pickRarest(input: PickInput): number {
  const draw = new Draw(input.random);
  let fewest = Number.POSITIVE_INFINITY;
  input.offered.forEachNotIn(input.taken, (piece) => {
    const copies = input.copies(piece);
    if (copies > fewest || !input.isAllowed(piece)) return;
    if (copies < fewest) {
      fewest = copies;
      draw.restart(piece);
    } else draw.offer(piece);
  });
  return draw.chosen;
}

/** A piece, or -1 although there are candidates: then the other peers can supply them. */
export function pickFromOrigin(input: OriginPickInput): number {
  const owned = new Draw(input.random);
  const foreign = new Draw(input.random);
  const replicated = new Draw(input.random);
  let fewest = Number.POSITIVE_INFINITY;
  input.offered.forEachNotIn(input.taken, (piece) => {
    if (!input.isAllowed(piece)) return;
    const copies = input.copies(piece);
    if (copies === 0) {
      if (input.isMine(piece)) owned.offer(piece);
      else foreign.offer(piece);
    } else if (copies < fewest) {
      fewest = copies;
      replicated.restart(piece);
    } else if (copies === fewest) replicated.offer(piece);
  });
  if (owned.chosen >= 0) return owned.chosen;
  if (foreign.chosen >= 0 && input.idle) return foreign.chosen;
  return input.starving ? replicated.chosen : -1;
}
