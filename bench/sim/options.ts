/** The options of `scripts/bench sim`, parsed. */
import { parseArgs } from 'node:util';
import { pieceLengthFor } from '../../torrent/piece-length.ts';
import { number, quantity, RATE_UNITS, SIZE_UNITS, whole } from '../quantity.ts';
import { QUIET_LAN, type Scenario } from './scenario.ts';

export interface SimOptions {
  /** In the order in which they are simulated. */
  readonly scenarios: readonly Scenario[];
  readonly json: string | undefined;
  /** The runs that `json` holds already stay, unless they are of the same scenario. */
  readonly append: boolean;
}

const ORIGINS = ['ours', 'plain', 'webseed'] as const;
const MOST_MACHINES = 20_000;

export const USAGE = `Usage: scripts/bench sim [--machines N,...=8,16] [--size S=256MiB] [--piece S] [--rate R=50Mbit]
                         [--seeds N=3] [--first-seed N=1] [--origin ${ORIGINS.join('|')}] [--staggered SECONDS]
                         [--leave-every SHARE] [--stragglers N] [--hostile SHARE] [--losses PER_MINUTE]
                         [--most-peers N=${QUIET_LAN.mostPeers}] [--origin-peers N=${QUIET_LAN.originPeers}]
                         [--json FILE] [--append]
  --piece        like 128KiB; default: what an image of that size has
  --rate         of every link, both ways
  --seeds        so many runs of each, from --first-seed on; one seed, one result
  --origin       what the server runs: ours, any other client that has everything, or a plain HTTP server
  --staggered    the machines start one after another, over so many seconds
  --leave-every  one machine vanishes whenever the swarm has got so much farther, as a share like 0.05
  --stragglers   so many have a tenth of the rate
  --hostile      this share of the machines sends wrong bytes or, every second of them, nothing
  --most-peers   connections of a machine; --origin-peers: of the origin
  --losses       connections of a machine that break, per minute
  --append       add the runs to those in FILE
A hundred machines and 256 MiB take a minute or two of one core, ten thousand hours.`;

/** Throws an `Error` whose message says what would do; undefined when only help was asked for. */
export function parseSimOptions(args: string[]): SimOptions | undefined {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args,
    options: {
      machines: text('8,16'),
      size: text('256MiB'),
      piece: { type: 'string' },
      rate: text('50Mbit'),
      seeds: text('3'),
      'first-seed': text('1'),
      staggered: text('0'),
      'leave-every': text('0'),
      stragglers: text('0'),
      hostile: text('0'),
      losses: text('0'),
      origin: text('ours'),
      'most-peers': text(String(QUIET_LAN.mostPeers)),
      'origin-peers': text(String(QUIET_LAN.originPeers)),
      json: { type: 'string' },
      append: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const origin = ORIGINS.find((name) => name === values.origin);
  if (!origin) throw new Error(`Cannot take "${values.origin}" for --origin: give ${ORIGINS.join(' or ')}`);
  if (values.append && values.json === undefined) throw new Error('--append needs --json FILE to add to');
  const sizeBytes = quantity(values.size, SIZE_UNITS, '--size');
  const base: Omit<Scenario, 'machines' | 'seed'> = {
    ...QUIET_LAN,
    sizeBytes,
    pieceBytes:
      values.piece === undefined
        ? pieceLengthFor(sizeBytes)
        : quantity(values.piece, { ...SIZE_UNITS, '': 2 ** 10 }, '--piece'),
    rateBitsPerSecond: quantity(values.rate, RATE_UNITS, '--rate'),
    staggeredSeconds: number(values.staggered, 0, 86_400, '--staggered'),
    leaveEvery: number(values['leave-every'], 0, 1, '--leave-every'),
    stragglers: whole(values.stragglers, 0, MOST_MACHINES, '--stragglers'),
    hostileShare: number(values.hostile, 0, 1, '--hostile'),
    lossesPerMinute: number(values.losses, 0, 1000, '--losses'),
    origin,
    mostPeers: whole(values['most-peers'], 1, MOST_MACHINES, '--most-peers'),
    originPeers: whole(values['origin-peers'], 1, MOST_MACHINES, '--origin-peers'),
  };
  const seeds = whole(values.seeds, 1, 1000, '--seeds');
  const first = whole(values['first-seed'], 0, 999_999, '--first-seed');
  const counts = values.machines.split(',').map((word) => whole(word, 1, MOST_MACHINES, '--machines'));
  return {
    scenarios: counts.flatMap((machines) =>
      Array.from({ length: seeds }, (_, index) => ({ ...base, machines, seed: first + index })),
    ),
    json: values.json,
    append: values.append,
  };
}
