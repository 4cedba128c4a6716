/** The bench runs every engine, each copy is verified, and what it reports has the agreed form. Speed is not asserted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENGINES } from '../../bench/engines.ts';
import type { Report } from '../../bench/report.ts';
import type { SwarmReport } from '../../bench/swarm/report.ts';
import { temporaryDirectory } from './support/temporary.ts';

const BENCH = join(import.meta.dirname, '../../scripts/bench');
const TIMEOUT_MS = 120_000;

const bench = (...args: readonly string[]) =>
  spawnSync(BENCH, args, { timeout: TIMEOUT_MS, encoding: 'utf8' });

test('scripts/bench engine measures every engine that is here', (t) => {
  const file = join(temporaryDirectory(t), 'report.json');
  const { status, stdout, stderr } = bench('engine', '--size', '4', '--rounds', '1', '--json', file);
  assert.equal(status, 0, stderr);
  const { host, runs } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const there = ENGINES.filter((engine) => engine.isThere?.() ?? true).map((engine) => engine.name);
  assert.deepEqual(
    runs.map((run) => run.engine),
    there,
  );
  assert(host.cores > 0);
  for (const run of runs) {
    assert.equal(run.clients, 1);
    assert.equal(run.sizeBytes, 4 * 2 ** 20);
    assert(run.megabytesPerSecond > 0, run.engine);
    assert(run.peakRssBytes !== undefined && run.peakRssBytes > 2 ** 20, run.engine);
    assert.match(stdout, new RegExp(`^${run.engine} `, 'm'));
  }
});

test('scripts/bench swarm tells what a machine takes of a core, where the kernel tells it meanwhile', (t) => {
  const file = join(temporaryDirectory(t), 'report.json');
  const settings = ['--clients', '1', '--size', '64', '--rate', '150', '--engines', 'raw,http'];
  const { status, stderr } = bench('swarm', ...settings, '--json', file);
  assert.equal(status, 0, stderr);
  const { runs } = JSON.parse(readFileSync(file, 'utf8')) as SwarmReport;
  const [raw, http] = runs;
  assert(raw && http);
  for (const { engine, rounds, failures } of runs) {
    assert.deepEqual(failures, [], engine);
    assert.equal(rounds.length, 1, engine);
  }
  assert(raw.leecherCoreShare !== undefined && raw.leecherCoreShare > 0 && raw.leecherCoreShare < 1);
  assert.equal(http.leecherCoreShare, undefined, 'curl is a program that a shell waits for');
});

test('scripts/bench tells what it has when it is asked for something else', () => {
  const { status, stderr } = bench('nothing');
  assert.equal(status, 2);
  assert.match(
    stderr,
    /unknown bench "nothing"; there are: engine, swarm, boot, seed, memory, sim, trace, plot/,
  );
});
