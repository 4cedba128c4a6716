/** Watches a swarm until it is complete: progress each second, a note when it stalls, an end when it stays stalled. */
import { BootError } from './boot-error.ts';
import type { RunningSwarm } from './engine.ts';
import type { Machine } from './machine.ts';

export type SwarmStats = ReturnType<RunningSwarm['stats']>;

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Without one more verified byte for so long, it fails. */
  readonly giveUpMs: number;
  /** `bytesPerSecond`: verified bytes from every source over the last seconds. */
  readonly onProgress: (stats: SwarmStats, bytesPerSecond: number) => void;
  readonly onStall: (sentence: string) => void;
}

const PROGRESS_MS = 1000;
/** Looks at the count over which the rate is taken: pieces come in lumps, so it takes a few seconds. */
const RATE_SAMPLES = 6;
/** Without progress for so long, the console says what is awaited; again after each such time. */
export const STALL_NOTE_MS = 20_000;

/** Rate of a count that is looked at now and then. */
function rateMeter(): (bytes: number, nowMs: number) => number {
  const samples: { readonly bytes: number; readonly atMs: number }[] = [];
  return (bytes, atMs) => {
    samples.push({ bytes, atMs });
    if (samples.length > RATE_SAMPLES) samples.shift();
    const [first] = samples;
    return first && atMs > first.atMs ? ((bytes - first.bytes) / (atMs - first.atMs)) * 1000 : 0;
  };
}

/** Returns at completion. Throws `BootError` with code `swarm-stalled`, or with what broke the swarm. */
export async function watchDownload(
  machine: Machine,
  swarm: RunningSwarm,
  options: WatchOptions,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const rate = rateMeter();
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
      options.onProgress(stats, rate(stats.bytes, nowMs));
      await machine.sleep(PROGRESS_MS, signal);
    }
  };
  try {
    await Promise.race([swarm.complete(signal), watch()]);
    const stats = swarm.stats();
    options.onProgress(stats, rate(stats.bytes, machine.now()));
  } finally {
    over.abort();
  }
}

function describeWait({ pieces, pieceCount, peers, seeds }: SwarmStats): string {
  const missing = pieceCount - pieces;
  const who = peers === 0 ? 'no peer is connected' : `${peers} peers are connected, ${seeds} of them seeds`;
  return `waiting for ${missing} of ${pieceCount} pieces, ${who}`;
}
