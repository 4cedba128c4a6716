/**
 * `swarmboot-agent fetch`: the engine as a plain process. Downloads a release into a folder, verifies it, keeps
 * seeding, and says in its last line how it went.
 */
import { directorySegments, type Store } from '../torrent/index.ts';
import { BootError, toBootError } from './boot-error.ts';
import { type SwarmStats, watchDownload } from './download.ts';
import type { Engine, RunningSwarm } from './engine.ts';
import type { FetchOptions } from './fetch-options.ts';
import { findAlteredFiles } from './hash-files.ts';
import type { Machine } from './machine.ts';
import { peakRssBytes } from './peak-rss.ts';
import { fetchRelease, type Release } from './phases/manifest.ts';
import { releaseName } from './release.ts';
import { readKey, readRelease } from './release-folder.ts';
import { retry } from './retry.ts';
import { sourcesOf } from './sources.ts';
import { openTrace, traceSwarm } from './trace.ts';

/** The last line of `fetch --json`; tests outside of this repository read it. */
export interface FetchSummary {
  readonly event: 'summary';
  readonly ok: boolean;
  /** Verified bytes of the files. */
  readonly bytes: number;
  /** From the start of the swarm to its last piece verified (or to the failure). */
  readonly seconds: number;
  readonly downloaded: { readonly peers: number; readonly seeder: number; readonly webseed: number };
  readonly uploaded: number;
  readonly hashFailures: number;
  readonly peakRssBytes: number;
  readonly error?: { readonly code: string; readonly message: string };
}

export type FetchEvent =
  | FetchSummary
  | { readonly event: 'manifest'; readonly release: string; readonly bytes: number; readonly pieces: number }
  | { readonly event: 'listening'; readonly port: number }
  | { readonly event: 'progress'; readonly stats: SwarmStats; readonly bytesPerSecond: number }
  /** Every piece is verified and stored. */
  | { readonly event: 'complete'; readonly seconds: number }
  /** What was written was read back and is as signed: from here on it only seeds. */
  | { readonly event: 'verified' }
  | { readonly event: 'warning' | 'banned' | 'stalled' | 'retry'; readonly message: string };

const BACKOFF = { firstMs: 500, maximumMs: 10_000 };

const isUrl = (text: string): boolean => /^https?:\/\//.test(text);

async function obtainRelease(
  machine: Machine,
  options: FetchOptions,
  emit: (event: FetchEvent) => void,
  signal: AbortSignal,
): Promise<Release> {
  const key = readKey(options.key);
  if (!isUrl(options.manifest)) return readRelease(options.manifest, key, machine.wallClockMs());
  return retry(
    machine,
    {
      backoff: BACKOFF,
      untilMs: machine.now() + options.deadlineSeconds * 1000,
      signal,
      onFailure: ({ message }) => emit({ event: 'retry', message }),
    },
    async () => {
      try {
        const clock = { arch: undefined, wallClockMs: machine.wallClockMs() };
        return await fetchRelease(options.manifest, key, clock, signal);
      } catch (error) {
        // A booting machine waits for a manifest to appear; a person at a prompt mistyped it.
        if (!(error instanceof BootError) || error.code !== 'manifest-missing') throw error;
        throw new BootError(error.code, error.message, { retriable: 'no' });
      }
    },
  );
}

/** Runs to the summary, which is also emitted as the last event. Aborting `signal` ends it early and in order. */
export async function runFetch(
  machine: Machine,
  engine: Engine,
  options: FetchOptions,
  emit: (event: FetchEvent) => void,
  signal: AbortSignal,
): Promise<FetchSummary> {
  let startedMs = machine.now();
  let seconds: number | undefined;
  let store: Store | undefined;
  let swarm: RunningSwarm | undefined;
  let failure: BootError | undefined;
  try {
    const { manifest, metainfo } = await obtainRelease(machine, options, emit, signal);
    emit({
      event: 'manifest',
      release: releaseName(manifest),
      bytes: manifest.files.reduce((sum, file) => sum + file.length, 0),
      pieces: metainfo.pieceCount,
    });
    const manifestUrl = isUrl(options.manifest) ? options.manifest : undefined;
    startedMs = machine.now();
    store = await engine.openStore(directorySegments(metainfo, options.out), 'write');
    swarm = await engine.startSwarm({
      metainfo,
      store,
      listen: { port: options.listenPort },
      localDiscovery: options.localDiscovery,
      ...sourcesOf(metainfo, manifestUrl, { peers: options.peers, trackers: [] }),
      ...(options.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: options.memoryLimitBytes }),
    });
    if (options.trace !== undefined) {
      const warn = (message: string): void => emit({ event: 'warning', message });
      traceSwarm(swarm, machine, openTrace(options.trace, warn));
    }
    swarm.on('warning', ({ message }) => emit({ event: 'warning', message }));
    swarm.on('banned', ({ peer, reason }) => emit({ event: 'banned', message: `${peer}: ${reason}` }));
    emit({ event: 'listening', port: swarm.port });
    await watchDownload(machine, swarm, {
      signal,
      giveUpMs: options.deadlineSeconds * 1000,
      onProgress: (stats, bytesPerSecond) => emit({ event: 'progress', stats, bytesPerSecond }),
      onStall: (message) => emit({ event: 'stalled', message }),
    });
    const completeMs = machine.now();
    seconds = (completeMs - startedMs) / 1000;
    emit({ event: 'complete', seconds });
    const altered = await findAlteredFiles(manifest, metainfo, store, signal);
    if (altered.length > 0) {
      throw new BootError(
        'verify-failed',
        `Written to "${options.out}", not as signed: ${altered.join(', ')}`,
      );
    }
    emit({ event: 'verified' });
    const lingerMs = completeMs + options.lingerSeconds * 1000 - machine.now();
    // A signal ends the seeding; the download is complete all the same.
    if (lingerMs > 0) await machine.sleep(lingerMs, signal).catch(() => {});
    if (signal.aborted && toBootError(signal.reason).code !== 'interrupted') throw signal.reason;
  } catch (error) {
    failure = toBootError(signal.aborted ? signal.reason : error);
  }
  const stats = swarm?.stats();
  const summary: FetchSummary = {
    event: 'summary',
    ok: failure === undefined,
    bytes: stats?.bytes ?? 0,
    seconds: seconds ?? (machine.now() - startedMs) / 1000,
    downloaded: stats?.downloaded ?? { peers: 0, seeder: 0, webseed: 0 },
    uploaded: stats?.uploaded ?? 0,
    hashFailures: stats?.hashFailures ?? 0,
    peakRssBytes: peakRssBytes(),
    ...(failure ? { error: { code: failure.code, message: failure.message } } : {}),
  };
  await swarm?.close().catch(() => {});
  await store?.close().catch(() => {});
  emit(summary);
  return summary;
}
