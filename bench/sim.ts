/** Whole swarms on a virtual network and clock, with the policies of the real machines. Usage: see sim/options.ts. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parseSimOptions, type SimOptions, USAGE } from './sim/options.ts';
import { boundSeconds, type Scenario } from './sim/scenario.ts';
import { Simulation } from './sim/simulation.ts';
import { formatOutcomes, type SimulatedRun } from './sim/table.ts';

/** One line of a report; the first fields are those of `scripts/bench swarm`, which `scripts/bench plot` reads. */
const rowOf = ({ scenario, outcome, hostSeconds }: SimulatedRun) => ({
  engine: 'simulated',
  clients: scenario.machines,
  sizeBytes: scenario.sizeBytes,
  rateBitsPerSecond: scenario.rateBitsPerSecond,
  boundSeconds: boundSeconds(scenario),
  firstSeconds: outcome.first,
  medianSeconds: outcome.median,
  lastSeconds: outcome.last,
  lastRatio: outcome.lastRatio,
  serverPayloadRatio: outcome.serverPayloadRatio,
  scenario,
  // Not every machine of ten thousand, nor who gave whom: the seed repeats the run.
  outcome: { ...outcome, seconds: undefined, gave: undefined },
  hostSeconds,
});

function simulate(scenarios: readonly Scenario[]): SimulatedRun[] {
  const runs: SimulatedRun[] = [];
  for (const scenario of scenarios) {
    const startedAt = performance.now();
    const outcome = new Simulation(scenario).run();
    runs.push({ scenario, outcome, hostSeconds: (performance.now() - startedAt) / 1000 });
    console.error(formatOutcomes(runs.slice(-1)).split('\n').at(-1));
  }
  return runs;
}

function save(runs: readonly SimulatedRun[], file: string, append: boolean): void {
  const before =
    append && existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as { runs: { scenario: Scenario }[] }).runs
      : [];
  const kept = before.filter(
    (row) => !runs.some(({ scenario }) => isDeepStrictEqual(scenario, row.scenario)),
  );
  writeFileSync(file, `${JSON.stringify({ runs: [...kept, ...runs.map(rowOf)] }, null, 1)}\n`);
}

let options: SimOptions | undefined;
try {
  options = parseSimOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exit(2);
}
if (options) {
  const runs = simulate(options.scenarios);
  console.log(formatOutcomes(runs));
  if (options.json !== undefined) save(runs, options.json, options.append);
  process.exitCode = runs.every(({ outcome }) => outcome.conserved && outcome.stuck === 0) ? 0 : 1;
} else console.log(USAGE);
