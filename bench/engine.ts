/**
 * How fast one seeder fills one leecher, both as processes of this machine, for our engine and its peers.
 *
 * What is timed is the same for all: from the leecher's first TCP connection with the seeder to its word that the
 * last byte is verified. Starting the process, reading the torrent and asking a tracker (aria2 and Transmission cannot
 * be told of a peer, and take up to two seconds to find one) come before that. Rounds are interleaved, so that a
 * noisy moment of the machine hits every engine alike; the table shows medians. Each copy is compared with the payload.
 *
 * Usage: scripts/bench engine [--size MiB] [--rounds N] [--engines NAME,...] [--torrent hybrid|v1] [--limit MB/s]
 *                            [--memory] [--json FILE]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { firstConnection } from './connections.ts';
import { digestOf } from './digest.ts';
import { ENGINES, type Engine, enginesNamed } from './engines.ts';
import { describeHost, thisHost } from './host.ts';
import { cpuSecondsOf, median, peakRssBytesOf } from './measure.ts';
import { type Kind, makePayload, type Payload } from './payload.ts';
import type { Client } from './peers/client.ts';
import { formatTable, type Report, type Run, withRatios } from './report.ts';
import { startTracker, type Tracker } from './tracker.ts';

/** Longest that one download may take, in milliseconds. */
const ROUND_TIMEOUT_MS = 120_000;
/** What the agent may use while it downloads a GiB, the image itself not counted. */
const MEMORY_TARGET_BYTES = 160 * 2 ** 20;

const USAGE = `Usage: scripts/bench engine [--size MiB=1024] [--rounds N=3] [--engines ${ENGINES.map((engine) => engine.name).join(',')}]
                            [--torrent hybrid|v1] [--limit MB/s] [--memory] [--json FILE]
  --torrent  v1: SHA-1 alone, for the clients that a v1 torrent can be given (ours, libtorrent, aria2, transmission)
  --limit    what the seeder may send, for the CPU seconds of a given link (ours, libtorrent, aria2, transmission)
  --memory   one download of 1 GiB by our engine and agent only: what counts is the leecher's peak resident set`;

interface Measurement {
  readonly kind: Kind;
  readonly seconds: number;
  readonly seederCpuSeconds: number;
  readonly leecherCpuSeconds: number;
  readonly peakRssBytes: number;
}

/** Transmission takes two peers with the same address for one, so each side has its own. */
interface Addresses {
  readonly seed: string;
  readonly leech: string;
}

class Bench {
  readonly #root: string;
  readonly #addresses: Addresses;
  readonly #open = new Set<Client>();
  readonly #payloads = new Map<number, Promise<Payload>>();
  #tracker: Promise<Tracker> | undefined;

  constructor(addresses: Addresses) {
    this.#addresses = addresses;
    // tmpfs: a disk would be measured instead of the engine.
    this.#root = mkdtempSync(join('/dev/shm', 'swarmboot-bench-'));
  }

  payload(lengthBytes: number): Promise<Payload> {
    const made = this.#payloads.get(lengthBytes) ?? this.#makePayload(lengthBytes);
    this.#payloads.set(lengthBytes, made);
    return made;
  }

  async #makePayload(lengthBytes: number): Promise<Payload> {
    this.#tracker ??= startTracker(this.#addresses.seed);
    const { url } = await this.#tracker;
    return makePayload(mkdtempSync(join(this.#root, 'payload-')), lengthBytes, url);
  }

  async round(
    engine: Engine,
    payload: Payload,
    forced: Kind | undefined,
    limit: number | undefined,
  ): Promise<Measurement> {
    const target = mkdtempSync(join(this.#root, 'leech-'));
    const kind = forced ?? engine.kind?.(payload.shapes.hybrid.torrent) ?? 'hybrid';
    const { torrent, path } = payload.shapes[kind];
    const { seed: seedAddress, leech: leechAddress } = this.#addresses;
    const seed = await this.#launch(engine.launchSeed ?? engine.launch, {
      mode: 'seed',
      torrent,
      directory: payload.directory,
      address: seedAddress,
      ...(limit === undefined ? {} : { uploadBytesPerSecond: limit }),
    });
    await seed.begin([]);
    const leech = await this.#launch(engine.launch, {
      mode: 'leech',
      torrent,
      directory: target,
      address: leechAddress,
    });
    const cpuBefore = { seed: cpuOf(seed), leech: cpuOf(leech) };
    const looking = new AbortController();
    const connected = firstConnection(seed.port, looking.signal);
    connected.catch(() => {}); // when the leecher fails, that is told instead
    let endMs: number;
    try {
      await leech.begin([{ host: seedAddress, port: seed.port }]);
      await leech.finished(ROUND_TIMEOUT_MS);
      endMs = performance.now();
    } finally {
      looking.abort(new Error(`${engine.name} says that it is done, but never connected to its seeder`));
    }
    const measured: Measurement = {
      kind,
      seconds: (endMs - (await connected)) / 1000,
      seederCpuSeconds: cpuOf(seed) - cpuBefore.seed,
      leecherCpuSeconds: cpuOf(leech) - cpuBefore.leech,
      peakRssBytes: leech.pid === undefined ? 0 : peakRssBytesOf(leech.pid),
    };
    // Some write the last pieces after they have said that they are done; they have, once they have ended.
    await this.#end(leech);
    await this.#end(seed);
    const digest = await digestOf(join(target, path));
    if (digest !== payload.digest)
      throw new Error(`${engine.name} says that it is done, but its copy is not the payload`);
    rmSync(target, { recursive: true });
    return measured;
  }

  async #launch(launch: Engine['launch'], options: Parameters<Engine['launch']>[0]): Promise<Client> {
    const client = await launch(options);
    this.#open.add(client);
    return client;
  }

  async #end(client: Client): Promise<void> {
    this.#open.delete(client);
    await client.close();
  }

  /** Ends what a round that failed has left running. */
  async endRound(): Promise<void> {
    for (const client of this.#open) await this.#end(client);
  }

  async close(): Promise<void> {
    await this.endRound();
    await (await this.#tracker)?.close();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

const cpuOf = ({ pid }: Client): number => (pid === undefined ? 0 : cpuSecondsOf(pid));

function toRun(engine: Engine, lengthBytes: number, measured: readonly Measurement[]): Run {
  const notes = [
    ...(engine.note === undefined ? [] : [engine.note]),
    ...(measured.every((one) => one.kind !== 'v1') ? [] : ['v1 torrent']),
  ];
  const rates = measured.map(({ seconds }) => lengthBytes / 1e6 / seconds);
  return {
    engine: engine.name,
    clients: 1,
    sizeBytes: lengthBytes,
    seconds: median(measured.map(({ seconds }) => seconds)),
    megabytesPerSecond: median(rates),
    roundsMegabytesPerSecond: rates,
    seederCpuSeconds: median(measured.map((one) => one.seederCpuSeconds)),
    leecherCpuSeconds: median(measured.map((one) => one.leecherCpuSeconds)),
    peakRssBytes: Math.max(...measured.map((one) => one.peakRssBytes)),
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
  };
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      size: { type: 'string' },
      rounds: { type: 'string' },
      engines: { type: 'string' },
      torrent: { type: 'string', default: 'hybrid' },
      limit: { type: 'string' },
      memory: { type: 'boolean', default: false },
      json: { type: 'string' },
      addresses: { type: 'string', default: '127.0.0.1,127.0.0.2' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const [seedAddress = '', leechAddress = ''] = values.addresses.split(',');
  const whole = (text: string | undefined, otherwise: number, what: string): number => {
    const value = text === undefined ? otherwise : Number(text);
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`Cannot take "${text}" for ${what}: give a whole number from 1 on`);
    return value;
  };
  if (values.torrent !== 'hybrid' && values.torrent !== 'v1')
    throw new Error(`Cannot take "${values.torrent}" for --torrent: give hybrid or v1`);
  const isV1 = values.torrent === 'v1';
  const engines = enginesNamed(
    values.engines ??
      ENGINES.filter((engine) => engine.isThere?.() ?? true)
        .filter((engine) => !values.memory || engine.isOurs)
        .filter((engine) => !isV1 || engine.takesAnyTorrent)
        .map((engine) => engine.name)
        .join(','),
  );
  for (const { name, takesAnyTorrent } of engines)
    if (isV1 && !takesAnyTorrent) throw new Error(`Cannot bench "${name}" with a v1 torrent`);
  return {
    lengthBytes: whole(values.size, 1024, '--size') * 2 ** 20,
    rounds: whole(values.rounds, values.memory ? 1 : 3, '--rounds'),
    engines,
    kind: isV1 ? ('v1' as const) : undefined,
    limit: values.limit === undefined ? undefined : whole(values.limit, 0, '--limit') * 1e6,
    memory: values.memory,
    json: values.json,
    addresses: { seed: seedAddress, leech: leechAddress },
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  const bench = new Bench(options.addresses);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= bench.close());
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void close().finally(() => process.exit(130)));
  try {
    const measured = new Map<Engine, Measurement[]>(options.engines.map((engine) => [engine, []]));
    const sizeFor = (engine: Engine) => Math.min(options.lengthBytes, engine.limitBytes ?? Infinity);
    for (let round = 1; round <= options.rounds; round++)
      for (const [engine, measurements] of measured) {
        const payload = await bench.payload(sizeFor(engine));
        try {
          const result = await bench.round(engine, payload, options.kind, options.limit);
          measurements.push(result);
          const rate = (payload.lengthBytes / 1e6 / result.seconds).toFixed(0);
          console.error(`round ${round} of ${options.rounds}: ${engine.name} ${rate} MB/s`);
        } catch (error) {
          // Another's failure is a gap in its row; our own is a defect.
          if (engine.isOurs || closing !== undefined) throw error;
          console.error(
            `round ${round} of ${options.rounds}: ${engine.name} failed: ${(error as Error).message}`,
          );
          await bench.endRound();
        }
      }
    const runs = withRatios(
      [...measured]
        .filter(([, measurements]) => measurements.length > 0)
        .map(([engine, measurements]) => toRun(engine, sizeFor(engine), measurements)),
    );
    const report: Report = { host: thisHost(), runs };
    console.log(
      `One seeder, one leecher on loopback; ${options.kind ?? 'hybrid'} torrent, pieces of 1 MiB, every piece verified.\n${describeHost(report.host)}\n\n${formatTable(runs)}`,
    );
    if (options.memory)
      for (const run of runs)
        console.log(
          `${run.engine}: peak ${((run.peakRssBytes ?? 0) / 2 ** 20).toFixed(0)} MiB, target at most ${MEMORY_TARGET_BYTES / 2 ** 20}: ${(run.peakRssBytes ?? 0) <= MEMORY_TARGET_BYTES ? 'reached' : 'MISSED'}`,
        );
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await close();
  }
}

try {
  await main();
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 1;
}
