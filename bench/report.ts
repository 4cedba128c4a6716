/** The numbers of a bench as JSON for programs and as a table for people. Fields are those that the bench has. */
import type { Host } from './host.ts';
import { type Column, formatRows, number } from './table.ts';

export interface Run {
  readonly engine: string;
  readonly clients: number;
  readonly sizeBytes: number;
  /** From the moment the idle leecher is given the torrent to the last verified byte: median of the rounds. */
  readonly seconds: number;
  /** 10^6 bytes of payload per second: the median of the rounds. */
  readonly megabytesPerSecond: number;
  readonly roundsMegabytesPerSecond: readonly number[];
  readonly seederCpuSeconds?: number;
  readonly leecherCpuSeconds?: number;
  /** Highest resident set of the leecher, its own memory and what it maps. */
  readonly peakRssBytes?: number;
  /** `megabytesPerSecond` over that of libtorrent in the same run. */
  readonly ratioToLibtorrent?: number;
  readonly note?: string;
}

export interface Report {
  readonly host: Host;
  readonly runs: readonly Run[];
}

/** Adds to each run its ratio to the one called libtorrent, if there is one. */
export function withRatios(runs: readonly Run[]): Run[] {
  const peer = runs.find((run) => run.engine === 'libtorrent');
  return runs.map((run) =>
    peer ? { ...run, ratioToLibtorrent: run.megabytesPerSecond / peer.megabytesPerSecond } : run,
  );
}

const rate = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

const COLUMNS: readonly Column<Run>[] = [
  { head: 'engine', cell: (run) => run.engine },
  { head: 'MiB', cell: (run) => number(run.sizeBytes / 2 ** 20, 0) },
  { head: 'MB/s', cell: (run) => rate(run.megabytesPerSecond) },
  { head: 'rounds', cell: (run) => run.roundsMegabytesPerSecond.map(rate).join(' ') },
  { head: 'x libtorrent', cell: (run) => number(run.ratioToLibtorrent, 2) },
  { head: 'leecher CPU s', cell: (run) => number(run.leecherCpuSeconds, 2) },
  { head: 'seeder CPU s', cell: (run) => number(run.seederCpuSeconds, 2) },
  {
    head: 'leecher peak MiB',
    cell: (run) => number(run.peakRssBytes === undefined ? undefined : run.peakRssBytes / 2 ** 20, 0),
  },
  { head: 'note', cell: (run) => run.note ?? '' },
];

export const formatTable = (runs: readonly Run[]): string => formatRows(COLUMNS, runs);
