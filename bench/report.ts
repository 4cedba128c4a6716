/** The numbers of a bench as JSON for programs and as a table for people. Fields are those that the bench has. */
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
  readonly host: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly kernel: string;
    readonly node: string;
  };
  readonly runs: readonly Run[];
}

/** Adds to each run its ratio to the one called libtorrent, if there is one. */
export function withRatios(runs: readonly Run[]): Run[] {
  const peer = runs.find((run) => run.engine === 'libtorrent');
  return runs.map((run) =>
    peer ? { ...run, ratioToLibtorrent: run.megabytesPerSecond / peer.megabytesPerSecond } : run,
  );
}

const number = (value: number | undefined, digits: number): string =>
  value === undefined ? '-' : value.toFixed(digits);

const rate = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

const COLUMNS: readonly { readonly head: string; readonly cell: (run: Run) => string }[] = [
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

/** The first and the last column are text and stand left, numbers stand right. */
export function formatTable(runs: readonly Run[]): string {
  const rows = [COLUMNS.map((column) => column.head), ...runs.map((run) => COLUMNS.map((c) => c.cell(run)))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isText = (column: number): boolean => column === 0 || column === COLUMNS.length - 1;
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
