/**
 * What part of a core a program takes in the middle of its work: its start, which is short and dear, and its end, when what
 * was stored is read back, are left out. Times are in milliseconds of one clock, CPU times in seconds.
 */
export interface CpuSample {
  readonly ms: number;
  readonly cpuSeconds: number;
}

/** How often to look, in ms. */
export const SAMPLE_MS = 250;
/** The middle, as parts of the whole time. */
const FROM = 0.3;
const TO = 0.7;
/** The kernel counts CPU time in hundredths of a second: in less than this they would be seen. */
const LEAST_MS = 1000;

/** Of work that went on from `startedMs` to `doneMs`; undefined if that was too short to have a middle. */
export function middleCoreShare(
  samples: readonly CpuSample[],
  startedMs: number,
  doneMs: number,
): number | undefined {
  const at = (share: number): number => startedMs + (doneMs - startedMs) * share;
  const middle = samples.filter(({ ms }) => ms >= at(FROM) && ms <= at(TO));
  const first = middle[0];
  const last = middle.at(-1);
  if (!first || !last || last.ms - first.ms < LEAST_MS) return undefined;
  return (last.cpuSeconds - first.cpuSeconds) / ((last.ms - first.ms) / 1000);
}
