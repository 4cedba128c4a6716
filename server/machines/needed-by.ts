/**
 * How many other machines still need what a machine has: the answer that `swarmboot.linger=auto` waits for.
 * Pure. Wrong in the machine's favour it costs a minute of lingering, otherwise a slower neighbour.
 */
import type { Phase } from '../../contract/telemetry.ts';
import type { MachineRecord } from './machine-book.ts';

/** A machine that downloads reports more often than this; a silent one has been switched off. */
const PROGRESS_MS = 15_000;
/** From the iPXE script, or the start of a phase before the download, to the first report of progress. */
const ARRIVING_MS = 60_000;

const BEFORE_COMPLETION: readonly (Phase | undefined)[] = [
  undefined,
  'network',
  'manifest',
  'memory',
  'swarm',
];

/** `release` is undefined where the asking machine has not said what it downloads: then any release counts. */
export function needs(record: MachineRecord, release: string | undefined, nowMs: number): boolean {
  if (record.handoff || record.seeding) return false;
  const { progress } = record;
  if (progress) {
    if (release !== undefined && progress.release !== release) return false;
    return progress.bytes < progress.total && nowMs - record.progressAtMs < PROGRESS_MS;
  }
  const arriving =
    BEFORE_COMPLETION.includes(record.phase) && !(record.phase === 'swarm' && record.phaseEnded);
  return arriving && nowMs - Math.max(record.phaseSinceMs, record.firstSeenMs) < ARRIVING_MS;
}

export function neededBy(
  records: Iterable<MachineRecord>,
  mac: string,
  release: string | undefined,
  nowMs: number,
): number {
  let count = 0;
  for (const record of records) if (record.mac !== mac && needs(record, release, nowMs)) count++;
  return count;
}
