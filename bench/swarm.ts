/**
 * How fast a server and N machines, each behind a link of its own, bring an image to every machine: our engine and its
 * peers with the same links, the same image and the same arrivals. What stands for what is in docs/performance.md.
 *
 * Usage: see USAGE in swarm/options.ts
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeHost, thisHost } from './host.ts';
import type { SwarmEngine } from './swarm/engines.ts';
import { figuresOf, type RoundFigures } from './swarm/figures.ts';
import { type Image, makeImage } from './swarm/image.ts';
import { Network } from './swarm/network.ts';
import { SERVER_ADDRESS } from './swarm/network-plan.ts';
import { parseSwarmOptions, type SwarmBenchOptions, USAGE } from './swarm/options.ts';
import { SERVER_HTTP_PORT, TRACKER_PORT } from './swarm/part.ts';
import { formatSwarmTable, makeRun, mergeRuns, type RunSetting, type SwarmReport } from './swarm/report.ts';
import { runRound } from './swarm/round.ts';
import { makeScratch } from './swarm/scratch.ts';

const MIB = 2 ** 20;
/** Longest that N copies one after another may take through the server's link, in seconds; else a smaller image. */
const UNICAST_SECONDS = 100;

function sizeFor(engine: SwarmEngine, { sizeBytes, clients, rateBitsPerSecond }: SwarmBenchOptions): number {
  if (!engine.isUnicast) return sizeBytes;
  const fits = (UNICAST_SECONDS * rateBitsPerSecond) / 8 / clients;
  return Math.min(sizeBytes, Math.max(MIB, Math.floor(fits / MIB) * MIB));
}

interface Rounds {
  readonly rounds: RoundFigures[];
  readonly failures: string[];
}

class SwarmBench {
  readonly #options: SwarmBenchOptions;
  readonly #scratch = makeScratch();
  readonly #network: Network;
  readonly #images = new Map<number, Promise<Image>>();

  constructor(options: SwarmBenchOptions) {
    this.#options = options;
    this.#network = Network.create(
      Array.from({ length: options.clients + 1 }, () => options.rateBitsPerSecond),
    );
  }

  async round(engine: SwarmEngine): Promise<RoundFigures> {
    const { clients, rateBitsPerSecond, staggerSeconds, leavers, straggler, origin, trace } = this.#options;
    const image = await this.#image(sizeFor(engine, this.#options));
    if (trace !== undefined) mkdirSync(trace, { recursive: true });
    const directory = join(this.#scratch.path, 'copies');
    const result = await runRound(
      {
        engine,
        origin,
        image,
        clients,
        rateBitsPerSecond,
        staggerSeconds,
        leavers,
        straggler,
        directory,
        trace,
      },
      this.#network,
    );
    return figuresOf(result);
  }

  #image(lengthBytes: number): Promise<Image> {
    const root = join(this.#scratch.path, `image-${lengthBytes}`);
    const make = (): Promise<Image> => {
      mkdirSync(root);
      return makeImage({
        root,
        lengthBytes,
        trackerUrl: `http://${SERVER_ADDRESS}:${TRACKER_PORT}/announce`,
        plainUrl: `http://${SERVER_ADDRESS}:${SERVER_HTTP_PORT}`,
      });
    };
    const image = this.#images.get(lengthBytes) ?? make();
    this.#images.set(lengthBytes, image);
    return image;
  }

  close(): void {
    this.#network.close();
    this.#scratch.remove();
  }
}

function settingFor(engine: SwarmEngine, options: SwarmBenchOptions): RunSetting {
  const { clients, rateBitsPerSecond, staggerSeconds, leavers, straggler, origin } = options;
  return {
    engine: engine.name,
    clients,
    sizeBytes: sizeFor(engine, options),
    rateBitsPerSecond,
    arrivals: staggerSeconds === 0 ? 'all' : `staggered:${staggerSeconds}`,
    origin: engine.isOurs ? origin : engine.name,
    leavers,
    straggler,
  };
}

async function main(): Promise<void> {
  const options = parseSwarmOptions(process.argv.slice(2));
  if (!options) {
    console.log(USAGE);
    return;
  }
  const { json, append, engines } = options;
  const measured = new Map<SwarmEngine, Rounds>(
    engines.map((engine) => [engine, { rounds: [], failures: [] }]),
  );
  const bench = new SwarmBench(options);
  let oursFailed = false;
  try {
    for (let round = 1; round <= options.rounds; round++)
      for (const [engine, { rounds, failures }] of measured) {
        const where = `round ${round} of ${options.rounds}: ${engine.name}`;
        try {
          const figures = await bench.round(engine);
          rounds.push(figures);
          console.error(
            `${where} last/bound ${figures.lastRatio.toFixed(3)}, server ${figures.serverPayloadRatio?.toFixed(3) ?? '-'} images, host idle ${figures.idleShare.toFixed(2)}`,
          );
        } catch (error) {
          // Another's failure is a gap in its row; our own is a defect, and the exit status says so.
          failures.push((error as Error).message);
          oursFailed ||= engine.isOurs === true;
          console.error(`${where} failed: ${(error as Error).message}`);
        }
      }
  } finally {
    bench.close();
  }
  const runs = [...measured].map(([engine, { rounds, failures }]) =>
    makeRun(settingFor(engine, options), rounds, failures, engine.note),
  );
  const earlier =
    append && json !== undefined && existsSync(json)
      ? (JSON.parse(readFileSync(json, 'utf8')) as SwarmReport).runs
      : [];
  const report: SwarmReport = { host: thisHost(), runs: mergeRuns(earlier, runs) };
  console.log(
    `${options.clients} machines and a server, every link ${options.rateBitsPerSecond / 1e6} Mbit/s both ways.\n${describeHost(report.host)}\n\n${formatSwarmTable(report.runs)}`,
  );
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  if (oursFailed) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 1;
}
