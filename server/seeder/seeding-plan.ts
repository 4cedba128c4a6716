/**
 * Which release is seeded on which port. Pure.
 *
 * Invariant: each image keeps one port as long as its releases are seeded, counted up from the first port, so that a
 * firewall rule of a few ports is enough. A release that was replaced goes on for a while: machines are in the
 * middle of it. It gives its port to its successor's successor only when it is gone.
 */
export interface Seeding {
  /** `name/version`. */
  readonly key: string;
  readonly port: number;
  /** Since when it is no longer current, in milliseconds; undefined while it is. */
  readonly replacedAtMs: number | undefined;
}

/** How long a replaced release is still seeded, in milliseconds. */
export const RETIRE_AFTER_MS = 15 * 60_000;

export interface SeedingChange {
  readonly start: readonly { readonly key: string; readonly port: number }[];
  readonly stop: readonly string[];
  readonly running: readonly Seeding[];
}

/** `wanted`: keys of the current releases, the most important first. `firstPort` 0 lets the system choose (tests). */
export function planSeeding(
  running: readonly Seeding[],
  wanted: readonly string[],
  firstPort: number,
  nowMs: number,
): SeedingChange {
  const kept: Seeding[] = [];
  const stop: string[] = [];
  for (const seeding of running) {
    if (wanted.includes(seeding.key)) kept.push({ ...seeding, replacedAtMs: undefined });
    else if (nowMs - (seeding.replacedAtMs ?? nowMs) < RETIRE_AFTER_MS) {
      kept.push({ ...seeding, replacedAtMs: seeding.replacedAtMs ?? nowMs });
    } else stop.push(seeding.key);
  }
  const start: { key: string; port: number }[] = [];
  for (const key of wanted) {
    if (kept.some((seeding) => seeding.key === key)) continue;
    let port = firstPort;
    while (firstPort !== 0 && kept.some((seeding) => seeding.port === port)) port++;
    start.push({ key, port });
    kept.push({ key, port, replacedAtMs: undefined });
  }
  return { start, stop, running: kept };
}
