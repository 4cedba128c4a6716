/**
 * Tells everybody of each piece that is here, in few writes: a have-message of nine bytes that travels alone costs both
 * sides as much as a block. A peer that misses the piece hears of it within `PROMPT_MS`, one that has it when something else
 * goes there, or when `flush` is called: nobody waits for that, but it must know how far we are.
 */
import type { PeerConnection } from '../wire/peer-connection.ts';

/** Little beside the tenth of a second that a block waits in the queue of its giver (policy/pipeline.ts). */
const PROMPT_MS = 15;

export class Announcer {
  readonly #peers: ReadonlyMap<number, PeerConnection>;
  readonly #has: (key: number, piece: number) => boolean;
  readonly #waiting = new Set<number>();
  #timer: NodeJS.Timeout | undefined;

  /** `peers` by key; `has`: whether a peer has a piece and need not hear of it soon. */
  constructor(peers: ReadonlyMap<number, PeerConnection>, has: (key: number, piece: number) => boolean) {
    this.#peers = peers;
    this.#has = has;
  }

  /** Whether somebody misses the piece. */
  announce(piece: number): boolean {
    let isMissed = false;
    for (const [key, { wire }] of this.#peers) {
      wire.haveLater(piece);
      if (this.#has(key, piece)) continue;
      isMissed = true;
      this.#waiting.add(key);
    }
    if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => this.#tellWaiting(), PROMPT_MS);
    return isMissed;
  }

  /** Everybody hears everything now. */
  flush(): void {
    this.close();
    for (const peer of this.#peers.values()) peer.flush();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
  }

  #tellWaiting(): void {
    const waiting = [...this.#waiting];
    this.close();
    for (const key of waiting) this.#peers.get(key)?.flush();
  }
}
