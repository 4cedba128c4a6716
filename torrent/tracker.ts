/**
 * Keeps one tracker told about us, for as long as the swarm lives, whatever the tracker does.
 *
 * Invariant: at most one announce is under way; `started` is repeated until it was answered, then `completed` (once, if
 * it happens), then plain announces at the clamped interval, and `stopped` at the end. Nothing in here rejects.
 */
import type { Endpoint } from './endpoint.ts';
import { announceOnce, type TrackerEvent } from './tracker-announce.ts';
import { TrackerError } from './tracker-answer.ts';
import { intervalMs, retryMs } from './tracker-schedule.ts';

export interface TrackerWarning {
  readonly code: TrackerError['code'];
  readonly message: string;
}

/** Calls `wake` after `delayMs` unless the returned function is called before. */
export type TrackerClock = (wake: () => void, delayMs: number) => () => void;

export interface TrackerOptions {
  /** http, https or udp. */
  readonly url: string;
  /** 20 bytes. */
  readonly infohash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Our listening port; 0 if there is none. */
  readonly port: number;
  /** Bytes that are still missing, sent and received. */
  readonly left: () => number;
  readonly uploaded: () => number;
  readonly downloaded: () => number;
  /** At most 200 endpoints of each answer; we may be among them. */
  readonly onPeers: (peers: readonly Endpoint[]) => void;
  readonly onWarning: (warning: TrackerWarning) => void;
  /** In [0, 1), for the jitter of retries. */
  readonly random: () => number;
  readonly clock?: TrackerClock;
  /** The address others shall find us at, if the tracker cannot see it (HTTP only). */
  readonly announceHost?: string | undefined;
}

export interface Tracker {
  /** The download is complete: says so now, or as soon as `started` was answered. */
  complete(): void;
  /** Says `stopped` if the tracker knows us. Never rejects; done within 2 s. */
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 2_000;

const realClock: TrackerClock = (wake, delayMs) => {
  const timer = setTimeout(wake, delayMs);
  return () => clearTimeout(timer);
};

class TrackerLoop implements Tracker {
  readonly options: TrackerOptions;
  readonly clock: TrackerClock;
  readonly ending = new AbortController();
  /** The tracker has answered a `started`, or may have received one. */
  known = false;
  answered = false;
  completion: 'no' | 'pending' | 'told' = 'no';
  failures = 0;
  trackerId: string | undefined;
  wake: (() => void) | undefined;
  stopping: Promise<void> | undefined;

  constructor(options: TrackerOptions) {
    this.options = options;
    this.clock = options.clock ?? realClock;
  }

  announce(event: TrackerEvent, signal: AbortSignal) {
    const { url, infohash, peerId, port, left, uploaded, downloaded, announceHost } = this.options;
    return announceOnce(
      {
        url,
        infohash,
        peerId,
        port,
        event,
        left: left(),
        uploaded: uploaded(),
        downloaded: downloaded(),
        host: announceHost,
        trackerId: this.trackerId,
      },
      signal,
    );
  }

  /** One announce and what follows from it: the wait until the next, in ms. */
  async step(): Promise<number> {
    const event = !this.answered ? 'started' : this.completion === 'pending' ? 'completed' : undefined;
    try {
      this.known = true;
      const answer = await this.announce(event, this.ending.signal);
      this.failures = 0;
      this.answered = true;
      this.trackerId = answer.trackerId;
      if (event === 'completed') this.completion = 'told';
      if (!this.ending.signal.aborted && answer.peers.length > 0) this.options.onPeers(answer.peers);
      return this.completion === 'pending' ? 0 : intervalMs(answer.intervalMs);
    } catch (error) {
      if (this.ending.signal.aborted) return 0;
      this.failures++;
      this.known = this.answered;
      const code = error instanceof TrackerError ? error.code : 'tracker-malformed';
      this.options.onWarning({ code, message: error instanceof Error ? error.message : String(error) });
      return retryMs(this.failures, this.options.random);
    }
  }

  async run(): Promise<void> {
    while (!this.ending.signal.aborted) {
      const delayMs = await this.step();
      if (this.ending.signal.aborted || delayMs === 0) continue;
      await new Promise<void>((resolve) => {
        const cancel = this.clock(resolve, delayMs);
        this.wake = () => {
          cancel();
          resolve();
        };
      });
      this.wake = undefined;
    }
  }

  complete(): void {
    if (this.completion !== 'no') return;
    this.completion = 'pending';
    // While the tracker does not answer, the retry that is due anyway will tell it.
    if (this.failures === 0) this.wake?.();
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  async end(): Promise<void> {
    this.ending.abort();
    this.wake?.();
    // A tracker that was silent the last time is not worth two seconds of a machine that wants to boot.
    if (!this.known || this.failures > 0) return;
    await this.announce('stopped', AbortSignal.timeout(STOP_LIMIT_MS)).catch(() => undefined);
  }
}

/** Starts announcing to one tracker. Only this tracker: none is ever added. */
export function startTracker(options: TrackerOptions): Tracker {
  const loop = new TrackerLoop(options);
  loop.run().catch(() => undefined); // only what the caller's own callbacks throw can get here
  return loop;
}
