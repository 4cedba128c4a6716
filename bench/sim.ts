/**
 * Whole swarms on a virtual network and clock, with the policies of the real machines.
 *
 * Usage: node bench/sim.ts [--machines N,...] [--size MiB] [--piece KiB] [--rate Mbit/s] [--seeds N] [--first-seed N]
 *   [--staggered SECONDS] [--leave-every SHARE] [--stragglers N] [--hostile SHARE] [--losses PER_MINUTE]
 *   [--origin ours|plain|webseed] [--most-peers N] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { boundSeconds, QUIET_LAN, type Scenario } from './sim/scenario.ts';
import { type Outcome, Simulation } from './sim/simulation.ts';
import { formatOutcomes, type SimulatedRun } from './sim/table.ts';

const { values } = parseArgs({
  options: {
    machines: { type: 'string', default: '8,16' },
    size: { type: 'string', default: '256' },
    piece: { type: 'string', default: '1024' },
    rate: { type: 'string', default: '50' },
    seeds: { type: 'string', default: '3' },
    'first-seed': { type: 'string', default: '1' },
    staggered: { type: 'string', default: '0' },
    'leave-every': { type: 'string', default: '0' },
    stragglers: { type: 'string', default: '0' },
    hostile: { type: 'string', default: '0' },
    losses: { type: 'string', default: '0' },
    origin: { type: 'string', default: 'ours' },
    'most-peers': { type: 'string', default: String(QUIET_LAN.mostPeers) },
    json: { type: 'string' },
  },
});

function originOf(word: string): Scenario['origin'] {
  if (word === 'ours' || word === 'plain' || word === 'webseed') return word;
  throw new Error(`Cannot simulate origin "${word}": there are ours, plain and webseed`);
}

const base: Omit<Scenario, 'machines' | 'seed'> = {
  ...QUIET_LAN,
  sizeBytes: Number(values.size) * 2 ** 20,
  pieceBytes: Number(values.piece) * 1024,
  rateBitsPerSecond: Number(values.rate) * 1e6,
  staggeredSeconds: Number(values.staggered),
  leaveEvery: Number(values['leave-every']),
  stragglers: Number(values.stragglers),
  hostileShare: Number(values.hostile),
  lossesPerMinute: Number(values.losses),
  origin: originOf(values.origin),
  mostPeers: Number(values['most-peers']),
};

const runs: SimulatedRun[] = [];
for (const machines of values.machines.split(',').map(Number)) {
  for (let index = 0; index < Number(values.seeds); index++) {
    const scenario: Scenario = { ...base, machines, seed: Number(values['first-seed']) + index };
    const startedAt = performance.now();
    const outcome: Outcome = new Simulation(scenario).run();
    runs.push({ scenario, outcome, hostSeconds: (performance.now() - startedAt) / 1000 });
    console.error(formatOutcomes(runs.slice(-1)).split('\n').at(-1));
  }
}
console.log(formatOutcomes(runs));
if (values.json) {
  const rows = runs.map(({ scenario, outcome, hostSeconds }) => ({
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
    outcome,
    hostSeconds,
  }));
  writeFileSync(values.json, `${JSON.stringify({ runs: rows }, null, 1)}\n`);
}
const sound = runs.every(({ outcome }) => outcome.conserved && outcome.stuck === 0);
process.exitCode = sound ? 0 : 1;
