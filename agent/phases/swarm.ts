/**
 * Phase swarm: get every piece from whoever has it, and give it on from the first one. An image that an earlier try on
 * this boot has verified is copied from there instead.
 */
import type { Endpoint } from '../../contract/parameters.ts';
import type { TelemetryDraft } from '../../contract/telemetry.ts';
import { BootError } from '../boot-error.ts';
import * as format from '../console.ts';
import { type SwarmStats, watchDownload } from '../download.ts';
import type { Engine, RunningSwarm } from '../engine.ts';
import { readMemory } from '../handoff/probe.ts';
import { releaseName } from '../release.ts';
import { SeedingStore } from '../seeding-store.ts';
import { sourcesOf } from '../sources.ts';
import type { Release } from './manifest.ts';
import type { Room } from './memory.ts';
import type { Outcome, PhaseContext } from './runner.ts';

export interface SwarmPhaseOptions {
  readonly engine: Engine;
  readonly release: Release;
  readonly room: Room;
  readonly manifestUrl: string;
  readonly peers: readonly Endpoint[];
  readonly trackers: readonly string[];
  readonly port: number;
  readonly retryTimeoutSeconds: number;
}

/** A complete image that goes on being seeded until `close`, which may be called again. */
export interface Download {
  readonly swarm: RunningSwarm;
  readonly store: SeedingStore;
  close(): Promise<void>;
}

const TELEMETRY_MS = 2000;
const COPY_BYTES = 1024 * 1024;
/** Pieces under way and ready to be given again, in bytes, on a machine with plenty of RAM and at the least. */
const BUFFER_BYTES = { most: 32 * 1024 * 1024, least: 8 * 1024 * 1024 };
/** A machine with little RAM buffers less: this part of what is available. */
const BUFFER_SHARE = 1 / 12;

const bufferBytes = (availableBytes: number): number =>
  Math.round(Math.min(BUFFER_BYTES.most, Math.max(BUFFER_BYTES.least, availableBytes * BUFFER_SHARE)));

export const progressEvent = (
  release: string,
  stats: SwarmStats,
  bytesPerSecond: number,
): TelemetryDraft => ({
  event: 'progress',
  release,
  bytes: stats.bytes,
  total: stats.totalBytes,
  bytesPerSecond: Math.round(bytesPerSecond),
  peers: stats.peers,
  downloaded: stats.downloaded,
  uploaded: stats.uploaded,
});

/** From where it is to where the next strategy wants it. */
async function copyImage(
  context: PhaseContext,
  engine: Engine,
  from: Room,
  target: SeedingStore,
): Promise<void> {
  context.awaiting(`the image to be copied from ${from.plan.strategy}`);
  const source = await engine.openStore(from.segments, 'read');
  try {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    for (let offset = 0; offset < source.length; offset += COPY_BYTES) {
      context.signal.throwIfAborted();
      const part = buffer.subarray(0, Math.min(COPY_BYTES, source.length - offset));
      await source.read(offset, part);
      await target.write(offset, part);
    }
  } finally {
    await source.close();
  }
  await context.machine.run('umount', [from.folder], { signal: context.signal });
}

export async function swarmPhase(
  context: PhaseContext,
  options: SwarmPhaseOptions,
): Promise<Outcome<Download>> {
  const { machine, console, telemetry, signal } = context;
  const { engine, room, release } = options;
  const startedMs = machine.now();
  context.awaiting('the store to open');
  const store = new SeedingStore(await engine.openStore(room.segments, 'write'));
  let swarm: RunningSwarm | undefined;
  try {
    if (room.earlier) await copyImage(context, engine, room.earlier, store);
    context.awaiting('the swarm to start');
    swarm = await engine.startSwarm({
      metainfo: release.metainfo,
      store,
      listen: { port: options.port },
      localDiscovery: true,
      complete: room.earlier !== undefined,
      memoryLimitBytes: bufferBytes(readMemory(machine).availableBytes),
      ...sourcesOf(release.metainfo, options.manifestUrl, options),
    });
    context.awaiting(undefined);
    swarm.on('warning', ({ message }) => context.note(message));
    swarm.on('banned', ({ peer, reason }) => context.note(`peer ${peer} is banned: ${reason}`));
    let toldMs = Number.NEGATIVE_INFINITY;
    await watchDownload(machine, swarm, {
      signal,
      giveUpMs: options.retryTimeoutSeconds * 1000,
      onProgress: (stats, bytesPerSecond) => {
        const { bytes, totalBytes, peers } = stats;
        console.line(format.progress({ bytes, totalBytes, bytesPerSecond, peers }));
        if (machine.now() - toldMs < TELEMETRY_MS && bytes < totalBytes) return;
        toldMs = machine.now();
        telemetry.send(progressEvent(releaseName(release.manifest), stats, bytesPerSecond));
      },
      onStall: (sentence) => context.note(sentence),
    });
  } catch (error) {
    // Not waited for: closing announces to trackers, and these may be what is wrong.
    void swarm?.close().catch(() => {});
    void store.close().catch(() => {});
    if (error instanceof BootError) throw error;
    throw new BootError('swarm-failed', `Swarm failed: ${(error as Error).message}`, {
      retriable: 'no',
      cause: error,
    });
  }
  const running = swarm;
  let closed: Promise<void> | undefined;
  const { downloaded, bytes } = running.stats();
  const seconds = Math.max(0.001, (machine.now() - startedMs) / 1000);
  return {
    value: {
      swarm: running,
      store,
      close: () => {
        closed ??= running.close().then(() => store.close());
        return closed;
      },
    },
    detail:
      `${format.mebibytes(bytes)} MiB at ${format.mebibytes(bytes / seconds)} MiB/s: ` +
      `${format.mebibytes(downloaded.peers)} from peers, ${format.mebibytes(downloaded.seeder)} from the seeder, ` +
      `${format.mebibytes(downloaded.webseed)} over HTTP`,
  };
}
