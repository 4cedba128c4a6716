/** Trying again: how often, how long between, and when no more. */
import { type BootError, toBootError } from './boot-error.ts';
import type { Machine } from './machine.ts';

export interface Backoff {
  readonly firstMs: number;
  readonly maximumMs: number;
}

/** Tries of a failure that is `brief`: four, with the waits between them about 4 s in all. */
const BRIEF_ATTEMPTS = 4;

/** Milliseconds before try `attempt` (1 is the first retry): doubling, with 25 % jitter so that a room spreads out. */
export function backoffMs({ firstMs, maximumMs }: Backoff, attempt: number, random: number): number {
  const nominal = Math.min(maximumMs, firstMs * 2 ** Math.min(attempt - 1, 20));
  return Math.round(nominal * (0.75 + 0.5 * random));
}

/** Calls `body` until it succeeds, its failure says that trying again is no use, or `untilMs` (machine.now()) is over. */
export async function retry<T>(
  machine: Machine,
  options: {
    readonly backoff: Backoff;
    readonly untilMs: number;
    readonly signal: AbortSignal;
    readonly onFailure: (error: BootError, nextInMs: number) => void;
  },
  body: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    options.signal.throwIfAborted();
    try {
      return await body();
    } catch (thrown) {
      options.signal.throwIfAborted();
      const error = toBootError(thrown);
      const waitMs = backoffMs(options.backoff, attempt, machine.random());
      const hopeless = error.retriable === 'no' || (error.retriable === 'brief' && attempt >= BRIEF_ATTEMPTS);
      if (hopeless || machine.now() + waitMs >= options.untilMs) throw error;
      options.onFailure(error, waitMs);
      await machine.sleep(waitMs, options.signal);
    }
  }
}
