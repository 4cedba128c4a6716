/** What a machine does at the moment, in a word, from what it last said. Pure. */
import type { MachineView } from './site-view.ts';

/** A machine that boots reports more often than this, in milliseconds. */
const SILENT_MS = 60_000;

export interface MachineState {
  readonly word: string;
  readonly mood: 'busy' | 'good' | 'bad' | 'idle';
  /** 0 to 1; undefined where there is nothing to count. */
  readonly fraction: number | undefined;
  readonly bytesPerSecond: number | undefined;
}

export function machineState({ live, boots, lastSeenMs }: MachineView, nowMs: number): MachineState {
  const still = { fraction: undefined, bytesPerSecond: undefined };
  if (live === undefined) {
    const [last] = boots;
    if (last === undefined) return { word: 'never booted', mood: 'idle', ...still };
    if (last.outcome === 'error') return { word: 'failed', mood: 'bad', ...still };
    return { word: last.outcome === 'handoff' ? 'booted' : 'unknown', mood: 'idle', ...still };
  }
  if (live.seeding !== null) {
    const reportedMs = nowMs - Date.parse(live.seeding.reported);
    return reportedMs < SILENT_MS
      ? { word: 'seeding', mood: 'good', fraction: undefined, bytesPerSecond: live.seeding.bytesPerSecond }
      : { word: 'switched off', mood: 'idle', ...still };
  }
  if (live.handoff !== null) return { word: 'running', mood: 'good', ...still };
  const silentMs = nowMs - Math.max(Date.parse(live.lastSeen), lastSeenMs ?? 0);
  const { progress } = live;
  const fraction = progress === null ? undefined : progress.bytes / Math.max(1, progress.total);
  if (silentMs > SILENT_MS) return { word: 'silent', mood: 'bad', fraction, bytesPerSecond: undefined };
  if (live.boot === null) return { word: 'stage-1', mood: 'busy', ...still };
  if (live.errors.length > 0 && live.phase !== 'swarm') {
    return { word: `${live.phase ?? 'boot'} failed`, mood: 'bad', fraction, bytesPerSecond: undefined };
  }
  const loading = live.phase === 'swarm' ? progress?.bytesPerSecond : undefined;
  return { word: live.phase ?? 'started', mood: 'busy', fraction, bytesPerSecond: loading };
}
