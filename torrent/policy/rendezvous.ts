/**
 * Rendezvous ownership: which of the machines that miss a piece should be the one to fetch it from the origin.
 *
 * Every machine computes hash(piece, peer id) for itself and for the leechers it knows; the highest owns the piece. With
 * the same view of the room, nobody fetches a piece twice; with different views it degrades to chance. The origin has
 * no part in it, so plain HTTP will do too.
 */
function mix(piece: number, salt: number): number {
  let x = Math.imul(piece + 1, 0x9e3779b1) ^ salt;
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The last four bytes of a peer id: the random part in every client's convention (BEP 20). */
export function saltOf(peerId: Uint8Array): number {
  let salt = 0;
  for (const byte of peerId.subarray(-4)) salt = (salt << 8) | byte;
  return salt | 0;
}

export class Ownership {
  readonly #mine: Uint8Array;
  readonly #own: number;
  #others: readonly number[] = [];
  #stale = true;

  constructor(pieceCount: number, ownPeerId: Uint8Array) {
    this.#mine = new Uint8Array(pieceCount);
    this.#own = saltOf(ownPeerId);
  }

  /** The leechers known now, by `saltOf` their peer id. */
  setOthers(salts: readonly number[]): void {
    this.#others = salts;
    this.#stale = true;
  }

  isMine(piece: number): boolean {
    if (this.#stale) this.#compute();
    return this.#mine[piece] === 1;
  }

  #compute(): void {
    this.#stale = false;
    for (let piece = 0; piece < this.#mine.length; piece++) {
      const own = mix(piece, this.#own);
      this.#mine[piece] = this.#others.every((salt) => mix(piece, salt) <= own) ? 1 : 0;
    }
  }
}
