/**
 * So many bytes a second, and some at once. The bucket may go into debt by one block, so a block larger than its capacity is
 * delayed, never stuck.
 */
export class TokenBucket {
  readonly #bytesPerSecond: number;
  readonly #capacity: number;
  #tokens: number;
  #last: number;

  /**
   * `bytesPerSecond` <= 0 or infinite: no limit. `burstBytes`, if not given: 50 ms of the rate, but at least two blocks.
   */
  constructor(bytesPerSecond: number, now: number, burstBytes?: number) {
    this.#bytesPerSecond = bytesPerSecond > 0 ? bytesPerSecond : Number.POSITIVE_INFINITY;
    this.#capacity = burstBytes ?? Math.max(this.#bytesPerSecond * 0.05, 2 * 16384);
    this.#tokens = this.#capacity;
    this.#last = now;
  }

  get unlimited(): boolean {
    return this.#bytesPerSecond === Number.POSITIVE_INFINITY;
  }

  /** Takes `bytes` if the bucket is not in debt. */
  take(bytes: number, now: number): boolean {
    if (this.unlimited) return true;
    this.#refill(now);
    if (this.#tokens <= 0) return false;
    this.#tokens -= bytes;
    return true;
  }

  /** Milliseconds until `take` can succeed; 0 if it can now. */
  waitMs(now: number): number {
    if (this.unlimited) return 0;
    this.#refill(now);
    return this.#tokens > 0 ? 0 : Math.floor((-this.#tokens * 1000) / this.#bytesPerSecond) + 1;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(
      this.#capacity,
      this.#tokens + ((now - this.#last) / 1000) * this.#bytesPerSecond,
    );
    this.#last = now;
  }
}
