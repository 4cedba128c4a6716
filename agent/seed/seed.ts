/**
 * `swarmboot-agent seed`: in the real system, gives others the image from the very RAM that the system runs from.
 *
 * Invariant: nothing is written but the status file, and no byte leaves that was not hashed when it was read.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HANDOVER_KEY_NAME, HANDOVER_NAME, type Handover, parseHandover } from '../../contract/handover.ts';
import type { Store } from '../../torrent/index.ts';
import { BootError } from '../boot-error.ts';
import type { Engine, RunningSwarm } from '../engine.ts';
import { MANIFEST_NAME } from '../handoff/leave-state.ts';
import { type Machine, pathOf, readText, writeText } from '../machine.ts';
import { releaseName } from '../release.ts';
import { readKey, readRelease } from '../release-folder.ts';
import { sourcesOf } from '../sources.ts';
import { createTelemetry, httpPost, telemetryUrl } from '../telemetry.ts';
import { holdingOf } from './holding.ts';
import type { SeedOptions } from './options.ts';
import { type SeedState, seedingEvent, statusText } from './report.ts';
import { DEFAULT_SETTINGS, parseSettings, type SeedSettings } from './settings.ts';

export type SeedEvent =
  | ({ readonly event: 'seeding' | 'status' | 'stopped' } & SeedState)
  | { readonly event: 'withdrawn'; readonly piece: number; readonly message: string }
  | { readonly event: 'warning'; readonly message: string };

const STATUS_MS = 2000;
const TELEMETRY_MS = 5000;
/** A program each time, which a machine that rests should not be woken for; the unit has WatchdogSec=15min. */
const WATCHDOG_MS = 60_000;
/** RFC 8622: lower effort. Switches and routers that know it let everything else pass first. */
const LOWER_EFFORT = 1 << 2;
/** Pieces for sending, of 1 MiB mostly: enough for the slots. */
const MEMORY_BYTES = 12 * 1024 * 1024;
const FLUSH_MS = 1000;

function readHandover(path: string): Handover {
  try {
    return parseHandover(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new BootError('no-handover', `Cannot seed: ${(error as Error).message}`, {
      hint: 'Only a system that swarmboot has booted, with swarmboot.seed=on, has something to seed',
      retriable: 'no',
    });
  }
}

/** systemd's readiness and watchdog (sd_notify(3)): Node has no datagram sockets of the local kind, a program does. */
const notifier =
  (machine: Machine, environment: Readonly<Record<string, string | undefined>>) =>
  async (...words: string[]): Promise<void> => {
    if (environment.NOTIFY_SOCKET !== undefined) await machine.run('systemd-notify', words);
  };

/** Runs until `signal` is aborted. Throws `BootError`. */
export async function runSeed(
  machine: Machine,
  engine: Engine,
  options: SeedOptions,
  emit: (event: SeedEvent) => void,
  signal: AbortSignal,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const folder = pathOf(machine, options.state);
  const handover = readHandover(join(folder, HANDOVER_NAME));
  const key = readKey(join(folder, HANDOVER_KEY_NAME));
  const { manifest, metainfo } = await readRelease(join(folder, MANIFEST_NAME), key, machine.wallClockMs());
  const defaults: SeedSettings = {
    ...DEFAULT_SETTINGS,
    rateMiB: handover.rateMiB ?? DEFAULT_SETTINGS.rateMiB,
  };
  const { settings, complaints } = parseSettings(readText(machine, options.config) ?? '', defaults);
  for (const message of complaints) emit({ event: 'warning', message: `${options.config}: ${message}` });

  const { segments, pieces, isWhole } = holdingOf(
    metainfo,
    handover.files.map((file) => ({ ...file, source: pathOf(machine, file.source) })),
  );
  const telemetry = createTelemetry(
    machine,
    handover.server === undefined ? undefined : httpPost(telemetryUrl(handover.server)),
    handover.boot,
  );
  telemetry.identify(handover.mac);
  const notify = notifier(machine, environment);
  const withdrawn: number[] = [];
  let store: Store | undefined;
  let swarm: RunningSwarm | undefined;
  try {
    store = await engine.openStore(segments, 'read');
    const { trackers } = sourcesOf(metainfo, undefined, { peers: [], trackers: handover.trackers });
    swarm = await engine.startSwarm(
      {
        ...{ metainfo, store, trackers, peers: [], webseeds: [], verifyReads: true },
        ...(isWhole ? { complete: true } : { holds: pieces }),
        listen: { port: settings.port ?? handover.port },
        uploadBytesPerSecond: settings.rateMiB * 1024 * 1024,
        maxPeers: settings.connections,
        memoryLimitBytes: MEMORY_BYTES,
        localDiscovery: settings.discovery === 1,
        typeOfService: LOWER_EFFORT,
      },
      { uploadSlots: settings.slots },
    );
  } catch (error) {
    await store?.close();
    throw new BootError('seed-failed', `Cannot seed: ${(error as Error).message}`, {
      retriable: 'yes',
      cause: error,
    });
  }
  const running = swarm;
  const startedMs = machine.now();
  const state = (): SeedState => ({
    release: releaseName(manifest),
    port: running.port,
    seconds: (machine.now() - startedMs) / 1000,
    rateMiB: settings.rateMiB,
    stats: running.stats(),
    withdrawn,
  });
  running.on('warning', ({ message }) => emit({ event: 'warning', message }));
  running.on('withdrawn', ({ piece, reason }) => {
    withdrawn.push(piece);
    emit({ event: 'withdrawn', piece, message: reason });
    telemetry.send({ event: 'error', code: 'damaged-piece', message: reason });
  });
  emit({ event: 'seeding', ...state() });
  await notify('--ready', `--status=Seeding ${releaseName(manifest)} on port ${running.port}`);
  let toldMs = Number.NEGATIVE_INFINITY;
  let aliveMs = machine.now();
  try {
    for (;;) {
      const now = state();
      if (options.runtime !== undefined) {
        writeText(machine, join(options.runtime, 'status'), statusText(now));
        emit({ event: 'status', ...now });
      }
      if (machine.now() - toldMs >= TELEMETRY_MS) {
        toldMs = machine.now();
        telemetry.send(seedingEvent(now));
      }
      if (machine.now() - aliveMs >= WATCHDOG_MS) {
        aliveMs = machine.now();
        await notify('WATCHDOG=1');
      }
      await machine.sleep(STATUS_MS, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    telemetry.send(seedingEvent(state()));
    await telemetry.flush(FLUSH_MS);
    await running.close().catch(() => {});
    await store.close().catch(() => {});
    emit({ event: 'stopped', ...state() });
  }
}
