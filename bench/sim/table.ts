/** Simulated runs as a table for people. */
import type { Scenario } from './scenario.ts';
import type { Outcome } from './simulation.ts';

export interface SimulatedRun {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  /** Real time that it took. */
  readonly hostSeconds: number;
}

const COLUMNS: readonly { readonly head: string; readonly cell: (run: SimulatedRun) => string }[] = [
  { head: 'machines', cell: ({ scenario }) => String(scenario.machines) },
  { head: 'seed', cell: ({ scenario }) => String(scenario.seed) },
  { head: 'bound s', cell: ({ outcome }) => outcome.boundSeconds.toFixed(1) },
  { head: 'first', cell: ({ outcome }) => outcome.firstRatio.toFixed(3) },
  { head: 'median', cell: ({ outcome }) => outcome.medianRatio.toFixed(3) },
  { head: 'last', cell: ({ outcome }) => outcome.lastRatio.toFixed(3) },
  { head: 'server', cell: ({ outcome }) => outcome.serverPayloadRatio.toFixed(3) },
  { head: 'uplinks', cell: ({ outcome }) => outcome.uplinkUse.toFixed(3) },
  { head: 'origin', cell: ({ outcome }) => outcome.originUse.toFixed(3) },
  { head: 'out s', cell: ({ outcome }) => outcome.originSeconds.toFixed(1) },
  { head: 'wasted', cell: ({ outcome }) => outcome.wastedShare.toFixed(4) },
  { head: 'stuck', cell: ({ outcome }) => String(outcome.stuck) },
  { head: 'conserved', cell: ({ outcome }) => (outcome.conserved ? 'yes' : 'NO') },
  { head: 'host s', cell: ({ hostSeconds }) => hostSeconds.toFixed(1) },
  {
    head: 'faults',
    cell: ({ outcome }) =>
      Object.entries(outcome.faults)
        .filter(([, count]) => count > 0)
        .map(([name, count]) => `${name} ${count}`)
        .join(', '),
  },
];

export function formatOutcomes(runs: readonly SimulatedRun[]): string {
  const rows = [COLUMNS.map(({ head }) => head), ...runs.map((run) => COLUMNS.map(({ cell }) => cell(run)))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padStart(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
