/** How many pieces a swarm may hold in memory, and what for: half for those that arrive, half for those that leave. */

const DEFAULT_BYTES = 32 * 2 ** 20;
/** With fewer, connections wait for each other. */
const FEWEST_PIECES = 6;

export interface MemoryBudget {
  /** Pieces that may be in flight. */
  readonly active: number;
  /** Pieces that may be kept to be given, as long as others are in flight. */
  readonly cached: number;
  /** The same once nothing is downloaded any more. */
  readonly cachedWhenComplete: number;
}

/** `limitBytes`: default 32 MiB. `seeds`: nothing will be downloaded. */
export function memoryBudget(
  pieceLength: number,
  { limitBytes = DEFAULT_BYTES, seeds }: { readonly limitBytes: number | undefined; readonly seeds: boolean },
): MemoryBudget {
  const pieces = Math.max(FEWEST_PIECES, Math.floor(limitBytes / pieceLength));
  const active = Math.ceil(pieces / 2);
  return { active, cached: seeds ? pieces : pieces - active, cachedWhenComplete: pieces };
}
