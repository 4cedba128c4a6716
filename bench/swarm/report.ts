/** The figures of a swarm bench as JSON for programs and as a table for people. */
import type { Host } from '../host.ts';
import { type Column, formatRows, number } from '../table.ts';
import { boundSeconds, medianFigures, type RoundFigures } from './figures.ts';

/** What makes two runs the same run, whose rounds can stand together. */
export interface RunSetting {
  readonly engine: string;
  readonly clients: number;
  readonly sizeBytes: number;
  readonly rateBitsPerSecond: number;
  /** `all`, or `staggered:SECONDS`. */
  readonly arrivals: string;
  /** What the server ran. */
  readonly origin: string;
  readonly leavers: boolean;
  readonly straggler: boolean;
}

/** Medians of the rounds stand beside the setting; without a round that succeeded there are none. */
export interface SwarmRun extends RunSetting, Partial<RoundFigures> {
  readonly boundSeconds: number;
  /** `lastSeconds`. */
  readonly seconds?: number;
  /** Highest of the rounds. */
  readonly worstLastRatio?: number;
  readonly rounds: readonly RoundFigures[];
  /** Why rounds have no figures, one sentence each. */
  readonly failures: readonly string[];
  readonly note?: string;
}

export interface SwarmReport {
  readonly host: Host;
  readonly runs: readonly SwarmRun[];
}

export function makeRun(
  setting: RunSetting,
  rounds: readonly RoundFigures[],
  failures: readonly string[],
  note: string | undefined,
): SwarmRun {
  const medians = rounds.length === 0 ? undefined : medianFigures(rounds);
  return {
    ...setting,
    boundSeconds: boundSeconds(setting.sizeBytes, setting.rateBitsPerSecond),
    ...medians,
    ...(medians ? { seconds: medians.lastSeconds } : {}),
    ...(medians ? { worstLastRatio: Math.max(...rounds.map(({ lastRatio }) => lastRatio)) } : {}),
    rounds,
    failures,
    ...(note === undefined ? {} : { note }),
  };
}

const SETTINGS = [
  'engine',
  'clients',
  'sizeBytes',
  'rateBitsPerSecond',
  'arrivals',
  'origin',
  'leavers',
  'straggler',
] as const satisfies readonly (keyof RunSetting)[];

export const settingOf = (run: RunSetting): RunSetting =>
  Object.fromEntries(SETTINGS.map((field) => [field, run[field]])) as unknown as RunSetting;

const sameSetting = (a: RunSetting, b: RunSetting): boolean =>
  SETTINGS.every((field) => a[field] === b[field]);

/** The rounds of `later` after those of `earlier`, run by run; runs that only one of them has stay as they are. */
export function mergeRuns(earlier: readonly SwarmRun[], later: readonly SwarmRun[]): SwarmRun[] {
  const merged = earlier.map((run) => {
    const more = later.find((candidate) => sameSetting(candidate, run));
    if (!more) return run;
    const rounds = [...run.rounds, ...more.rounds];
    return makeRun(settingOf(run), rounds, [...run.failures, ...more.failures], more.note);
  });
  return [...merged, ...later.filter((run) => !earlier.some((candidate) => sameSetting(candidate, run)))];
}

const MIB = 2 ** 20;
const COLUMNS: readonly Column<SwarmRun>[] = [
  { head: 'engine', cell: ({ engine, origin }) => (origin === engine ? engine : `${engine} (${origin})`) },
  { head: 'N', cell: ({ clients }) => String(clients) },
  { head: 'MiB', cell: ({ sizeBytes }) => number(sizeBytes / MIB, 0) },
  { head: 'bound s', cell: (run) => number(run.boundSeconds, 1) },
  { head: 'first s', cell: (run) => number(run.firstSeconds, 1) },
  { head: 'median s', cell: (run) => number(run.medianSeconds, 1) },
  { head: 'last s', cell: (run) => number(run.lastSeconds, 1) },
  { head: 'last/bound', cell: (run) => number(run.lastRatio, 3) },
  { head: 'worst', cell: (run) => number(run.worstLastRatio, 3) },
  { head: 'server images', cell: (run) => number(run.serverPayloadRatio, 3) },
  { head: 'on wire', cell: (run) => number(run.serverWireRatio, 3) },
  { head: 'useful', cell: (run) => number(run.usefulShare, 3) },
  { head: 'server CPU s', cell: (run) => number(run.seederCpuSeconds, 1) },
  { head: 'machine CPU s', cell: (run) => number(run.leecherCpuSeconds, 1) },
  { head: 'core share', cell: (run) => number(run.leecherCoreShare, 2) },
  {
    head: 'peak MiB',
    cell: ({ peakRssBytes }) => number(peakRssBytes === undefined ? undefined : peakRssBytes / MIB, 0),
  },
  { head: 'host idle', cell: (run) => number(run.idleShare, 2) },
  { head: 'rounds', cell: ({ rounds, failures }) => `${rounds.length}/${rounds.length + failures.length}` },
  {
    head: 'note',
    cell: ({ note, failures }) => [note, ...new Set(failures)].filter((text) => text).join('; '),
  },
];

export const formatSwarmTable = (runs: readonly SwarmRun[]): string => formatRows(COLUMNS, runs);
