/** The options of `scripts/bench swarm`, parsed. */
import { parseArgs } from 'node:util';
import { quantity, RATE_UNITS, SIZE_UNITS, whole } from '../quantity.ts';
import {
  DEFAULT_ENGINES,
  ORIGINS,
  type Origin,
  SWARM_ENGINES,
  type SwarmEngine,
  swarmEnginesNamed,
} from './engines.ts';
import { MOST_MACHINES } from './network-plan.ts';

export interface SwarmBenchOptions {
  readonly clients: number;
  /** Of the image. */
  readonly sizeBytes: number;
  /** Of every link, in each direction. */
  readonly rateBitsPerSecond: number;
  readonly rounds: number;
  /** Between the first machine's start and the last's, evenly; 0: all at once. */
  readonly staggerSeconds: number;
  readonly engines: readonly SwarmEngine[];
  readonly origin: Origin;
  /** At each 5 % of progress a machine is gone without a word. */
  readonly leavers: boolean;
  /** The last machine's link has a tenth of the rate. */
  readonly straggler: boolean;
  readonly json: string | undefined;
  /** The rounds that `json` holds already stay, and count. */
  readonly append: boolean;
  /** Folder for the machines' traces of the swarm; only `ours` writes any. */
  readonly trace: string | undefined;
}

export const USAGE = `Usage: scripts/bench swarm [--clients N=8] [--size S=256MiB] [--rate R=50Mbit] [--rounds N=1]
                           [--arrivals all|staggered:SECONDS] [--engines NAME,...=${DEFAULT_ENGINES.join(',')}]
                           [--origin ${ORIGINS.join('|')}] [--leavers] [--straggler]
                           [--json FILE] [--append] [--trace FOLDER]
  --size       like 64MiB or 1GiB; a plain number is MiB
  --rate       of every link, both ways, like 50Mbit or 1Gbit; a plain number is Mbit/s
  --arrivals   staggered: the machines start one after another, evenly over so many seconds
  --engines    of ${SWARM_ENGINES.map(({ name }) => name).join(', ')}
  --origin     what the server runs for the engine "ours"
  --leavers    at every 5 % of progress one machine loses power, as long as two are left
  --straggler  the last machine has a tenth of the rate; it counts for nothing, the others shall not wait
  --append     add the rounds to those in FILE, if they are of the same runs
  --trace      each machine of "ours" notes there what happens in the last round; see scripts/bench trace`;

function stagger(text: string): number {
  if (text === 'all') return 0;
  const [, seconds] = /^staggered:(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (Number(seconds) > 0) return Number(seconds);
  throw new Error(`Cannot take "${text}" for --arrivals: give all, or staggered:SECONDS`);
}

/** Throws an `Error` whose message says what would do; undefined when only help was asked for. */
export function parseSwarmOptions(args: string[]): SwarmBenchOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      clients: { type: 'string', default: '8' },
      size: { type: 'string', default: '256MiB' },
      rate: { type: 'string', default: '50Mbit' },
      rounds: { type: 'string', default: '1' },
      arrivals: { type: 'string', default: 'all' },
      engines: { type: 'string' },
      origin: { type: 'string', default: 'ours' },
      leavers: { type: 'boolean', default: false },
      straggler: { type: 'boolean', default: false },
      json: { type: 'string' },
      append: { type: 'boolean', default: false },
      trace: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const origin = ORIGINS.find((name) => name === values.origin);
  if (!origin) throw new Error(`Cannot take "${values.origin}" for --origin: give ${ORIGINS.join(' or ')}`);
  const staggerSeconds = stagger(values.arrivals);
  const { leavers, straggler } = values;
  const together = staggerSeconds === 0 && !leavers && !straggler;
  const engines = swarmEnginesNamed(values.engines ?? DEFAULT_ENGINES.join(',')).filter(
    ({ needsAllAtOnce }) => values.engines !== undefined || together || !needsAllAtOnce,
  );
  for (const { name, needsAllAtOnce } of engines)
    if (needsAllAtOnce && !together)
      throw new Error(`Cannot bench "${name}" so: its machines start together and wait for each other`);
  const options: SwarmBenchOptions = {
    clients: whole(values.clients, 1, MOST_MACHINES, '--clients'),
    sizeBytes: quantity(values.size, SIZE_UNITS, '--size'),
    rateBitsPerSecond: quantity(values.rate, RATE_UNITS, '--rate'),
    rounds: whole(values.rounds, 1, 1000, '--rounds'),
    staggerSeconds,
    engines,
    origin,
    leavers,
    straggler,
    json: values.json,
    append: values.append,
    trace: values.trace,
  };
  if (options.append && options.json === undefined) throw new Error('--append needs --json FILE to add to');
  return options;
}
