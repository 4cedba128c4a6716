/** From the JSON of benches and simulations to the lines of a chart. Pure. */
import { median } from '../measure.ts';
import type { Series } from './line-chart.ts';
import { ENGINE_COLOURS, SIMULATED_COLOURS } from './palette.ts';

export const FIGURES = {
  last: { field: 'lastRatio', words: 'last machine done, in times of the bound' },
  server: { field: 'serverPayloadRatio', words: 'images that the server sent' },
} as const;
export type FigureName = keyof typeof FIGURES;
type Field = (typeof FIGURES)[FigureName]['field'];

/** What a chart needs of a run, measured or simulated. */
export interface PlottedRun {
  readonly engine: string;
  readonly clients: number;
  readonly origin?: string;
  readonly sizeBytes?: number;
  readonly lastRatio?: number;
  readonly serverPayloadRatio?: number;
  /** Of the same setting; without them the run is one round. */
  readonly rounds?: readonly { readonly lastRatio?: number; readonly serverPayloadRatio?: number }[];
}

const SIMULATED = 'simulated';

const MIB = 2 ** 20;

/** Simulated runs of several images are lines of their own: the shorter the bound, the more the start tells. */
function nameOf({ engine, origin = engine, sizeBytes }: PlottedRun, sizes: ReadonlySet<unknown>): string {
  if (engine === SIMULATED && sizes.size > 1 && sizeBytes !== undefined)
    return `${engine}, ${sizeBytes / MIB} MiB`;
  return origin === engine ? engine : `${engine}, ${origin} origin`;
}

/** One line for each engine, a point for each number of machines: the median, and how far the rounds lie apart. */
export function seriesOf(runs: readonly PlottedRun[], figure: FigureName): Series[] {
  const field: Field = FIGURES[figure].field;
  const lines = new Map<string, Map<number, number[]>>();
  const simulated = runs.filter(({ engine }) => engine === SIMULATED);
  const sizes = new Set(simulated.map(({ sizeBytes }) => sizeBytes));
  for (const run of runs) {
    const values = (run.rounds ?? [run]).map((round) => round[field]).filter((value) => value !== undefined);
    if (values.length === 0) continue;
    const name = nameOf(run, sizes);
    const line = lines.get(name) ?? new Map<number, number[]>();
    lines.set(name, line.set(run.clients, [...(line.get(run.clients) ?? []), ...values]));
  }
  let simulatedLines = 0;
  return [...lines].map(([name, line]): Series => {
    const engine = name.split(',')[0] ?? name;
    const points = [...line].map(([x, values]) => ({
      x,
      y: median(values),
      ...(values.length > 1 ? { range: [Math.min(...values), Math.max(...values)] as const } : {}),
    }));
    const colour =
      engine === SIMULATED
        ? SIMULATED_COLOURS[simulatedLines++ % SIMULATED_COLOURS.length]
        : ENGINE_COLOURS[engine];
    return {
      name,
      colour: colour ?? '#555555',
      points,
      ...(engine === SIMULATED ? { dashed: true } : {}),
      ...(name === 'ours' ? { strong: true } : {}),
    };
  });
}
