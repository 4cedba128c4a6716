/** Watches a swarm until it is complete: progress each second, a note when it stalls, an end when it stays stalled. */
import { BootError } from './boot-error.ts';
import type { RunningSwarm } from './engine.ts';
import type { Machine } from './machine.ts';

export type SwarmStats = ReturnType<RunningSwarm['stats']>;

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Without one more verified byte for so long, it fails. */
  readonly giveUpMs: number;
  readonly onProgress: (stats: SwarmStats) => void;
  readonly onStall: (sentence: string) => void;
}

const PROGRESS_MS = 1000;
/** Without progress for so long, the console says what is awaited; again after each such time. */
export const STALL_NOTE_MS = 20_000;

/** Returns at completion. Throws `BootError` with code `swarm-stalled`, or with what broke the swarm. */
export async function watchDownload(
  machine: Machine,
  swarm: RunningSwarm,
  options: WatchOptions,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const watch = async (): Promise<never> => {
    let bytes = -1;
    let sinceMs = machine.now();
    let notedMs = sinceMs;
    for (;;) {
      const stats = swarm.stats();
      const nowMs = machine.now();
      if (stats.bytes > bytes) {
        bytes = stats.bytes;
        sinceMs = nowMs;
        notedMs = nowMs;
      }
      const stalledSeconds = Math.round((nowMs - sinceMs) / 1000);
      if (nowMs - sinceMs >= options.giveUpMs) {
        throw new BootError(
          'swarm-stalled',
          `No piece arrived for ${stalledSeconds} s: ${describeWait(stats)}`,
          {
            hint: 'Check that the boot server is up and reachable, and that another machine or the server has this image',
            retriable: 'no',
          },
        );
      }
      if (nowMs - notedMs >= STALL_NOTE_MS) {
        notedMs = nowMs;
        options.onStall(`no progress for ${stalledSeconds} s: ${describeWait(stats)}`);
      }
      options.onProgress(stats);
      await machine.sleep(PROGRESS_MS, signal);
    }
  };
  try {
    await Promise.race([swarm.complete(signal), watch()]);
    options.onProgress(swarm.stats());
  } finally {
    over.abort();
  }
}

function describeWait({ pieces, pieceCount, peers, seeds }: SwarmStats): string {
  const missing = pieceCount - pieces;
  const who = peers === 0 ? 'no peer is connected' : `${peers} peers are connected, ${seeds} of them seeds`;
  return `waiting for ${missing} of ${pieceCount} pieces, ${who}`;
}
