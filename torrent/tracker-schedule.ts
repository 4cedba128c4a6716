/** When to talk to a tracker again: pure arithmetic, so that hours of a dead tracker fit in a test. */

/** Trackers may ask for any interval; ours lies between these, in ms. */
export const INTERVAL_MIN_MS = 5_000;
export const INTERVAL_MAX_MS = 300_000;
/** Where a tracker names no interval, in ms. */
export const INTERVAL_DEFAULT_MS = 120_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 60_000;

/** The wait after an answer that asked for `intervalMs` (undefined, NaN or 0: it did not). */
export function intervalMs(asked: number | undefined): number {
  if (asked === undefined || !(asked > 0)) return INTERVAL_DEFAULT_MS;
  return Math.min(INTERVAL_MAX_MS, Math.max(INTERVAL_MIN_MS, asked));
}

/**
 * The wait after `failures` failures in a row (1, 2, …): 1, 2, 4 … 60 s, each between 75 and 125 % of that, so that a
 * room of machines does not fall upon a returning tracker at once. `random()` is in [0, 1).
 */
export function retryMs(failures: number, random: () => number): number {
  const nominal = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.min(RETRY_MAX_MS, nominal * (0.75 + random() / 2));
}
