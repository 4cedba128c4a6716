/** Bytes per second as an exponentially weighted mean. Time comes as an argument, in milliseconds. */
const HALF_LIFE_MS = 2000;
/** Shorter gaps are collected: a burst within one millisecond is no rate. */
const USUAL_SAMPLE_MS = 100;

export class Rate {
  #bytesPerSecond = 0;
  #pending = 0;
  #since: number;
  readonly #sampleMs: number;
  #seen = false;

  constructor(now: number, sampleMs = USUAL_SAMPLE_MS) {
    this.#since = now;
    this.#sampleMs = sampleMs;
  }

  add(bytes: number, now: number): void {
    this.#pending += bytes;
    if (now - this.#since >= this.#sampleMs) this.#fold(now);
  }

  bytesPerSecond(now: number): number {
    if (now - this.#since >= this.#sampleMs) this.#fold(now);
    return this.#bytesPerSecond;
  }

  #fold(now: number): void {
    const elapsed = now - this.#since;
    const sample = (this.#pending * 1000) / elapsed;
    // The first sample with bytes counts in full: a pipeline that starts at a mean of zero would grow for seconds.
    const keep = this.#seen ? 0.5 ** (elapsed / HALF_LIFE_MS) : 0;
    if (sample > 0) this.#seen = true;
    this.#bytesPerSecond = this.#bytesPerSecond * keep + sample * (1 - keep);
    this.#pending = 0;
    this.#since = now;
  }
}
