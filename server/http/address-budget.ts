/**
 * How often one address may ask, and how many connections it may have. A machine that boots asks a few times a second at most;
 * one that asks thousands of times keeps the others from booting. Pure: the clock comes in.
 *
 * Invariant: at most MOST_ADDRESSES are remembered. When one is forgotten, it was quiet longest and had recovered most.
 */
export interface Budget {
  /** Requests at once, after a rest. */
  readonly burst: number;
  /** Requests that come back each second. */
  readonly perSecond: number;
}

const MOST_ADDRESSES = 8192;

export class AddressBudget {
  readonly #budget: Budget;
  /** In order of the last request. */
  readonly #left = new Map<string, { credit: number; atMs: number }>();

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** False if `address` has asked too often. */
  take(address: string, nowMs: number): boolean {
    const { burst, perSecond } = this.#budget;
    const old = this.#left.get(address) ?? { credit: burst, atMs: nowMs };
    const credit = Math.min(burst, old.credit + ((nowMs - old.atMs) / 1000) * perSecond);
    const mayGo = credit >= 1;
    this.#left.delete(address);
    this.#left.set(address, { credit: mayGo ? credit - 1 : credit, atMs: nowMs });
    const [quietest] = this.#left.keys();
    if (this.#left.size > MOST_ADDRESSES && quietest !== undefined) this.#left.delete(quietest);
    return mayGo;
  }
}
