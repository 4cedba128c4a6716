/** The memory bench has the agent connected to as many peers as it was asked for, and reports its peak. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from './support/temporary.ts';

const BENCH = join(import.meta.dirname, '../../scripts/bench');
const TIMEOUT_MS = 120_000;

test('scripts/bench memory counts the peers and the peak of a download from all of them', (t) => {
  const file = join(temporaryDirectory(t), 'report.json');
  const args = ['memory', '--connections', '12', '--size', '16', '--rate', '8', '--json', file];
  const { status, stdout, stderr } = spawnSync(BENCH, args, { timeout: TIMEOUT_MS, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const { runs } = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(runs.length, 1);
  const [run] = runs;
  assert.equal(run.connections, 12, 'all of them at once');
  assert.equal(run.sizeBytes, 16 * 2 ** 20);
  assert(run.peakRssBytes > 2 ** 20 && run.seconds > 1 && run.leecherCpuSeconds > 0);
  assert.match(stdout, /^16 MiB from 12 peers at once in [\d.]+ s: peak \d+ MiB/m);
});
