/** The least RAM with which something succeeds, by halving. Pure but for the trials themselves. */

export interface Trial {
  readonly memoryMiB: number;
  readonly ok: boolean;
}

export interface Search {
  /** The least that succeeded; undefined if not even the largest did. */
  readonly smallestMiB: number | undefined;
  readonly trials: readonly Trial[];
}

/**
 * Tries `mostMiB` first, then halves the distance to `leastMiB` until it is `stepMiB` or less. Assumes that what
 * succeeds with some RAM succeeds with more. The answer is `stepMiB` too large at most.
 */
export async function searchSmallest(
  range: { readonly leastMiB: number; readonly mostMiB: number; readonly stepMiB: number },
  attempt: (memoryMiB: number) => Promise<boolean>,
): Promise<Search> {
  const trials: Trial[] = [];
  const succeeds = async (memoryMiB: number): Promise<boolean> => {
    const ok = await attempt(memoryMiB);
    trials.push({ memoryMiB, ok });
    return ok;
  };
  if (!(await succeeds(range.mostMiB))) return { smallestMiB: undefined, trials };
  let smallest = range.mostMiB;
  // Below `leastMiB` nothing is tried: it counts as too little.
  let tooLittle = range.leastMiB - range.stepMiB;
  while (smallest - tooLittle > range.stepMiB) {
    const steps = Math.floor((smallest - tooLittle) / range.stepMiB / 2);
    const middle = smallest - Math.max(1, steps) * range.stepMiB;
    if (await succeeds(middle)) smallest = middle;
    else tooLittle = middle;
  }
  return { smallestMiB: smallest, trials };
}
