/**
 * One round: the server's program, then the machines' as they arrive, until every machine that is waited for has the image.
 * Afterwards every copy is compared with the original.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../digest.ts';
import { LineProcess } from '../line-process.ts';
import { median } from '../measure.ts';
import { START_TIMEOUT_MS } from '../peers/client.ts';
import { departures } from './departures.ts';
import { ORIGIN_PROGRAMS, type Origin, type SwarmEngine } from './engines.ts';
import {
  boundSeconds,
  FRAME_BYTES,
  FRAME_PAYLOAD_BYTES,
  type MachineResult,
  type RoundResult,
} from './figures.ts';
import { cpuTicksNow, idleShare } from './idle.ts';
import type { Image } from './image.ts';
import { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { addressOf, SERVER_ADDRESS } from './network-plan.ts';
import { type Part, SERVER_HTTP_PORT, TRACKER_PORT } from './part.ts';
import type { ProgramName } from './programs.ts';

export interface RoundOptions {
  readonly engine: SwarmEngine;
  readonly origin: Origin;
  readonly image: Image;
  readonly clients: number;
  readonly rateBitsPerSecond: number;
  readonly staggerSeconds: number;
  readonly leavers: boolean;
  readonly straggler: boolean;
  /** For the copies; removed at the end. */
  readonly directory: string;
  readonly trace: string | undefined;
}

const TRACKER = join(import.meta.dirname, 'tracker-process.ts');
/** How much slower than the bound a swarm may be before it counts as stuck, and what it has besides, in seconds. */
const PATIENCE = 5;
const PATIENCE_SECONDS = 30;
/** How often leavers look how far the swarm is, in milliseconds. */
const LOOK_MS = 250;

/** The manifest that a machine of ours is given: a URL where the server speaks HTTP, else a file. */
const manifestFor = (server: ProgramName, image: Image): string =>
  server === 'serve'
    ? `http://${SERVER_ADDRESS}:${SERVER_HTTP_PORT}/images/bench/manifest.json`
    : server === 'http-server'
      ? `http://${SERVER_ADDRESS}:${SERVER_HTTP_PORT}/manifest.json`
      : image.manifestFile;

class Round {
  readonly #options: RoundOptions;
  readonly #network: Network;
  readonly #timeoutMs: number;
  readonly #server: ProgramName;
  readonly #machines: Machine[] = [];
  readonly #gone = new Set<number>();
  readonly #done = new Map<number, number>();
  #origin: Machine | undefined;
  #tracker: LineProcess | undefined;

  constructor(options: RoundOptions, network: Network) {
    const { engine, origin, image, clients, rateBitsPerSecond, staggerSeconds } = options;
    this.#options = options;
    this.#network = network;
    this.#server = engine.isOurs ? ORIGIN_PROGRAMS[origin] : engine.server;
    const copies = engine.isUnicast ? clients : 1;
    const seconds = boundSeconds(image.lengthBytes, rateBitsPerSecond) * copies * PATIENCE;
    this.#timeoutMs = (seconds + staggerSeconds + PATIENCE_SECONDS) * 1000;
  }

  async run(): Promise<RoundResult> {
    const { image, clients, rateBitsPerSecond, staggerSeconds, straggler } = this.#options;
    await this.#prepare();
    const wireBefore = this.#network.wireBytes();
    const cpuBefore = await this.#origin?.take();
    const ticksBefore = cpuTicksNow();
    const leaving = this.#options.leavers ? this.#watchLeavers(wireBefore.machines) : undefined;
    const awaited = clients - (straggler ? 1 : 0);
    const starts = await Promise.race([
      Promise.all(
        this.#machines.map(async (machine, index) => {
          await sleep(clients > 1 ? (index * staggerSeconds * 1000) / (clients - 1) : 0);
          const startedMs = await machine.start(this.#part(index), this.#timeoutMs);
          const done = this.#watch(machine, index);
          if (index >= awaited) done.catch(() => {}); // it is closed in the middle
          return { startedMs, done: index < awaited ? done : undefined };
        }),
      ),
      leaving ?? never,
    ]);
    await Promise.race([Promise.all(starts.map(({ done }) => done)), leaving ?? never]);
    const share = idleShare(ticksBefore, cpuTicksNow());
    const wire = this.#network.wireBytes();
    const server = await this.#origin?.take();
    const machines = await Promise.all(
      this.#machines.map(async (machine, index): Promise<MachineResult> => {
        const doneMs = this.#done.get(index);
        const came = (wire.machines[index] ?? 0) - (wireBefore.machines[index] ?? 0);
        const start = { startedMs: starts[index]?.startedMs ?? 0, wireBytes: came };
        if (doneMs === undefined || index >= awaited) return start;
        const { cpuSeconds, coreShare, peakRssBytes, receivedBytes } = await machine.take();
        return {
          ...start,
          doneMs,
          cpuSeconds,
          ...(coreShare === null ? {} : { coreShare }),
          ...(peakRssBytes === null ? {} : { peakRssBytes }),
          ...(receivedBytes === null ? {} : { receivedBytes }),
        };
      }),
    );
    await this.close(); // some write the last pieces after they have said that they are done
    await this.#compareCopies();
    return {
      sizeBytes: image.lengthBytes,
      rateBitsPerSecond,
      staggered: staggerSeconds > 0,
      machines,
      server: {
        wireBytes: wire.server - wireBefore.server,
        ...(server ? { cpuSeconds: server.cpuSeconds - (cpuBefore?.cpuSeconds ?? 0) } : {}),
        ...(server && server.sentBytes !== null ? { sentBytes: server.sentBytes } : {}),
      },
      idleShare: share,
    };
  }

  async close(): Promise<void> {
    const open = [...this.#machines, ...(this.#origin ? [this.#origin] : [])];
    await Promise.all(open.map((machine) => machine.close()));
    await this.#tracker?.close();
  }

  async #prepare(): Promise<void> {
    const { clients, engine, image, straggler, rateBitsPerSecond } = this.#options;
    for (let place = 1; place <= clients; place++) {
      this.#network.setLink(place, 'up');
      this.#network.setRate(
        place,
        straggler && place === clients ? rateBitsPerSecond / 10 : rateBitsPerSecond,
      );
    }
    if (this.#server !== 'serve') {
      const [command = '', ...words] = this.#network.enter(0);
      const script = [process.execPath, TRACKER, SERVER_ADDRESS, String(TRACKER_PORT)];
      this.#tracker = new LineProcess('tracker', command, [...words, ...script]);
      await this.#tracker.event('ready', START_TIMEOUT_MS);
    }
    const timeoutMs = this.#timeoutMs;
    const launch = (name: string, place: number): Promise<Machine> =>
      Machine.launch(name, this.#network.enter(place), timeoutMs * 2);
    this.#origin = await launch(`${engine.name} server`, 0);
    for (let place = 1; place <= clients; place++)
      this.#machines.push(await launch(`${engine.name} machine ${place}`, place));
    await this.#origin.start(
      {
        ...this.#common(),
        program: this.#server,
        mode: 'seed',
        directory: image.seedDirectory,
        address: SERVER_ADDRESS,
        ...(engine.superSeeding ? { superSeeding: true } : {}),
      },
      timeoutMs,
    );
  }

  #common(): Pick<Part, 'image' | 'serverAddress' | 'machines' | 'rateBitsPerSecond' | 'torrent'> {
    const { image, clients, rateBitsPerSecond, engine } = this.#options;
    return {
      image,
      serverAddress: SERVER_ADDRESS,
      machines: clients,
      rateBitsPerSecond,
      torrent: engine.torrent === 'v1' ? image.v1Torrent : image.hybridTorrent,
    };
  }

  #part(index: number): Part {
    const { engine, image, trace } = this.#options;
    const name = `machine-${String(index + 1).padStart(2, '0')}`;
    return {
      ...this.#common(),
      program: engine.machine,
      mode: 'leech',
      directory: join(this.#options.directory, name),
      address: addressOf(index + 1),
      manifest: manifestFor(this.#server, image),
      ...(trace === undefined || !engine.isOurs ? {} : { trace: join(trace, `${name}.ndjson`) }),
    };
  }

  /** Resolves when the machine has the image, or has left. */
  async #watch(machine: Machine, index: number): Promise<void> {
    try {
      this.#done.set(index, await machine.done(this.#timeoutMs));
    } catch (error) {
      if (!this.#gone.has(index)) throw error;
    }
  }

  /** Never resolves; rejects if a machine cannot be made to leave. */
  async #watchLeavers(wireBefore: readonly number[]): Promise<never> {
    const all = this.#machines.map((_, index) => index);
    const wholeBytes = (this.#options.image.lengthBytes * FRAME_BYTES) / FRAME_PAYLOAD_BYTES;
    for (;;) {
      await sleep(LOOK_MS);
      const present = all.filter((index) => !this.#gone.has(index));
      if (present.every((index) => this.#done.has(index))) return never;
      const came = this.#network.wireBytes().machines;
      const shares = present.map((index) => ((came[index] ?? 0) - (wireBefore[index] ?? 0)) / wholeBytes);
      const standing = {
        present,
        done: new Set(this.#done.keys()),
        gone: this.#gone.size,
        progress: median(shares),
      };
      for (const index of departures(standing)) {
        this.#gone.add(index);
        this.#network.setLink(index + 1, 'down'); // first, so that nobody hears its connections end
        await this.#machines[index]?.kill();
      }
    }
  }

  async #compareCopies(): Promise<void> {
    const { image, directory, engine } = this.#options;
    for (const index of this.#done.keys()) {
      const copy = join(this.#part(index).directory, image.torrentName, image.rootFile);
      if ((await digestOf(copy)) !== image.rootDigest)
        throw new Error(
          `${engine.name} machine ${index + 1} says that it is done, but its copy is not the image`,
        );
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

const never = new Promise<never>(() => {});

/** Throws with the reason when a machine fails or is stuck; nothing of the round is left behind then either. */
export async function runRound(options: RoundOptions, network: Network): Promise<RoundResult> {
  const round = new Round(options, network);
  try {
    return await round.run();
  } finally {
    await round.close();
    rmSync(options.directory, { recursive: true, force: true });
  }
}
