/** Chance that repeats: the same seed gives the same numbers. Marsaglia's xorshift, 32 bits, mixed once more. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // A state of zero would stay zero; close seeds must not give close numbers.
    this.#state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0) + 1;
    for (let round = 0; round < 8; round++) this.next();
  }

  /** In [0, 1). */
  readonly next = (): number => {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return (Math.imul(x, 0x9e3779b1) >>> 0) / 2 ** 32;
  };

  between(least: number, most: number): number {
    return least + (most - least) * this.next();
  }

  /** `many` different ones of `items`, or all of them, in random order. */
  some<T>(items: readonly T[], many: number): T[] {
    const pool = [...items];
    const count = Math.min(many, pool.length);
    for (let index = 0; index < count; index++) {
      const other = index + Math.floor(this.next() * (pool.length - index));
      [pool[index], pool[other]] = [pool[other]!, pool[index]!];
    }
    return pool.slice(0, count);
  }
}
