/**
 * Draws what `scripts/bench swarm` and `scripts/bench sim` have measured against the number of machines.
 *
 * Usage: scripts/bench plot FILE.json... --svg FILE [--figure last|server] [--title TEXT] [--to MOST]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { FIGURES, type FigureName, seriesOf } from './plot/from-runs.ts';
import { lineChart } from './plot/line-chart.ts';
import { BOUND_COLOUR } from './plot/palette.ts';

const USAGE = `Usage: scripts/bench plot FILE.json... --svg FILE [--figure ${Object.keys(FIGURES).join('|')}] [--title TEXT] [--to MOST]
  FILE.json  of scripts/bench swarm or sim
  --to       greatest value that is shown; what is above it is named at the edge`;

const Figure = v.optional(v.number());
const Report = v.object({
  runs: v.array(
    v.object({
      engine: v.string(),
      clients: v.pipe(v.number(), v.minValue(1)),
      origin: v.optional(v.string()),
      sizeBytes: Figure,
      lastRatio: Figure,
      serverPayloadRatio: Figure,
      rounds: v.optional(v.array(v.object({ lastRatio: Figure, serverPayloadRatio: Figure }))),
    }),
  ),
});

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      svg: { type: 'string' },
      figure: { type: 'string', default: 'last' },
      title: { type: 'string', default: '' },
      to: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (positionals.length === 0 || values.svg === undefined)
    throw new Error('A chart needs reports, and --svg');
  if (!Object.hasOwn(FIGURES, values.figure)) throw new Error(`Cannot draw "${values.figure}"`);
  const figure = values.figure as FigureName;
  const runs = positionals.flatMap((path) => v.parse(Report, JSON.parse(readFileSync(path, 'utf8'))).runs);
  const series = seriesOf(runs as Parameters<typeof seriesOf>[0], figure);
  const machines = series.flatMap(({ points }) => points.map(({ x }) => x));
  const bound = [Math.min(...machines), Math.max(...machines)].map((x) => ({ x, y: 1 }));
  writeFileSync(
    values.svg,
    lineChart({
      title: values.title,
      x: 'machines',
      y: FIGURES[figure].words,
      series: [
        {
          name: figure === 'last' ? 'bound' : 'one image',
          colour: BOUND_COLOUR,
          points: bound,
          dashed: true,
        },
        ...series,
      ],
      ...(values.to === undefined ? {} : { yTo: Number(values.to) }),
    }),
  );
  console.log(`${values.svg}: ${series.length} lines`);
}

try {
  main();
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 1;
}
