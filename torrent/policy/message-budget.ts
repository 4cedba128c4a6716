/**
 * How many messages that bring nothing one peer may send.
 *
 * Every message is legal by itself: a keep-alive, a have that is known, a choke behind an unchoke, a request that will be
 * rejected. In millions they keep a machine from booting (measured: one peer on loopback held a core with any of them).
 * So messages cost credit, and what is useful earns it: payload in either direction and news about pieces. A busy peer
 * may thus say as much as it likes, an idle one a few hundred messages a second.
 *
 * Invariant: over any time, cost <= FULL + PER_SECOND * time + earned.
 */

/** Credit to begin with and at most. A peer that chokes us may reject everything outstanding: 512, and 2048 from us. */
export const FULL = 4096;
/** Credit that comes back by itself. */
export const PER_SECOND = 256;
/** Every so many bytes of payload earn one credit: a block earns four. */
const BYTES_PER_CREDIT = 4096;
/** A piece that becomes known, to us or to the peer: interest may change twice for it, and a request may cross it. */
const PER_PIECE = 4;

export class MessageBudget {
  #credit = FULL;
  #at: number;

  /** `now` in ms, as everywhere. */
  constructor(now: number) {
    this.#at = now;
  }

  /** False if the peer has said too much: it must go. */
  spend(cost: number, now: number): boolean {
    this.#credit = Math.min(FULL, this.#credit + ((now - this.#at) / 1000) * PER_SECOND);
    this.#at = now;
    this.#credit -= cost;
    return this.#credit >= 0;
  }

  /** Block payload went one way or the other. */
  payload(bytes: number): void {
    this.#earn(bytes / BYTES_PER_CREDIT);
  }

  /** The peer told of a piece for the first time, or was told. */
  pieceKnown(): void {
    this.#earn(PER_PIECE);
  }

  #earn(credit: number): void {
    this.#credit = Math.min(FULL, this.#credit + credit);
  }
}
