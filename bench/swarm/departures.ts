/** Which machines lose their power when, in a bench with leavers. Pure. */

/** One leaves each time that the swarm has got so much further, as a share of the image. */
const STEP = 0.05;
/** So many stay to the end. */
const LEAST_MACHINES = 2;

export interface Standing {
  /** Machines that are still there, by number. */
  readonly present: readonly number[];
  /** Those of them that have the image already. */
  readonly done: ReadonlySet<number>;
  /** Machines that have left. */
  readonly gone: number;
  /** Share of the image that the machines in the swarm have got, the middle one of them. */
  readonly progress: number;
}

/** The machines that have to leave now: the last ones that are still at it. */
export function departures({ present, done, gone, progress }: Standing): number[] {
  // A small share of a step: 0.15 / 0.05 is less than 3 in floating point.
  const due = Math.floor(progress / STEP + 1e-9) - gone;
  const may = Math.min(due, present.length - LEAST_MACHINES);
  return may <= 0 ? [] : present.filter((machine) => !done.has(machine)).slice(-may);
}
