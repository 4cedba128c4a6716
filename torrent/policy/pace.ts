/** Whether less comes than this machine's link has shown that it can take. Time comes as an argument, in milliseconds. */

/** A process that starts finds full socket buffers: what it reads at first is no rate of the link. */
const SETTLED_MS = 3000;
/** Links do not change while an image is downloaded, rooms do: what was seen long ago counts for less. */
const HALF_LIFE_MS = 300_000;
/** Rates are measured over two seconds, in blocks: less than this much of the best is no accident. */
const BEHIND_SHARE = 0.95;

export class Pace {
  readonly #startedAt: number;
  #best = 0;
  #seenAt: number;

  constructor(now: number) {
    this.#startedAt = now;
    this.#seenAt = now;
  }

  /** `bytesPerSecond`: what comes now, from everybody. */
  isBehind(bytesPerSecond: number, now: number): boolean {
    if (now - this.#startedAt < SETTLED_MS) return false;
    const faded = this.#best * 0.5 ** ((now - this.#seenAt) / HALF_LIFE_MS);
    this.#best = Math.max(bytesPerSecond, faded);
    this.#seenAt = now;
    return bytesPerSecond < BEHIND_SHARE * this.#best;
  }
}
