/** The swarm bench runs real programs behind shaped links, says what it measured in the agreed form, and leaves nothing. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SwarmReport } from '../../bench/swarm/report.ts';
import { temporaryDirectory } from './support/temporary.ts';
import { until } from './support/until.ts';

const BENCH = join(import.meta.dirname, '../../bench/swarm.ts');
const TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 30_000;
const SETTING = ['--clients', '3', '--size', '8', '--rate', '400'];

const namespacesOf = (pid: number): string[] => {
  try {
    return readdirSync('/run/netns').filter((name) => name.startsWith(`sbn-${pid}-`));
  } catch {
    return [];
  }
};
const scratchOf = (pid: number): string[] =>
  readdirSync('/dev/shm').filter((name) => name === `swarmboot-swarm-${pid}`);
const isGone = (pid: number): boolean => namespacesOf(pid).length + scratchOf(pid).length === 0;

function start(t: TestContext, ...args: readonly string[]) {
  const child = spawn(process.execPath, [BENCH, ...SETTING, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal ?? -1)),
  );
  return { pid: child.pid ?? -1, kill: (signal: NodeJS.Signals) => child.kill(signal), ended };
}

test('our agents and a peer are measured, each round adds to the report', (t) => {
  const file = join(temporaryDirectory(t), 'report.json');
  const bench = (...args: readonly string[]) =>
    spawnSync(process.execPath, [BENCH, ...SETTING, '--json', file, '--append', ...args], {
      timeout: TIMEOUT_MS,
      encoding: 'utf8',
    });
  const first = bench('--engines', 'ours,aria2');
  assert.equal(first.status, 0, first.stderr);
  const second = bench('--engines', 'ours');
  assert.equal(second.status, 0, second.stderr);
  assert(isGone(first.pid), 'nothing is left behind');

  const { host, runs } = JSON.parse(readFileSync(file, 'utf8')) as SwarmReport;
  assert(host.cores > 0);
  assert.deepEqual(
    runs.map(({ engine, rounds, failures }) => [engine, rounds.length, failures]),
    [
      ['ours', 2, []],
      ['aria2', 1, []],
    ],
  );
  for (const run of runs) {
    assert.equal(run.clients, 3);
    assert.equal(run.sizeBytes, 8 * 2 ** 20);
    assert.equal(run.rateBitsPerSecond, 400e6);
    const { firstSeconds = 0, medianSeconds = 0, lastSeconds = 0, seconds = 0, lastRatio = 0 } = run;
    assert(firstSeconds > run.boundSeconds, 'nobody beats the link');
    assert(firstSeconds <= medianSeconds && medianSeconds <= lastSeconds);
    assert.equal(seconds, lastSeconds);
    if (run.rounds.length === 1) assert.equal(lastRatio, lastSeconds / run.boundSeconds);
    // The first copy comes from the server; no program says so more exactly than the wire.
    assert((run.serverPayloadRatio ?? 0) >= 0.99, `${run.engine} ${run.serverPayloadRatio}`);
    assert((run.serverWireRatio ?? 0) > (run.serverPayloadRatio ?? 0), 'headers count');
    assert((run.usefulShare ?? 0) > 0 && (run.usefulShare ?? 0) < 1);
    assert((run.seederCpuSeconds ?? 0) > 0 && (run.leecherCpuSeconds ?? 0) > 0);
    assert((run.peakRssBytes ?? 0) > 2 ** 20);
    assert.match(second.stdout, new RegExp(`^${run.engine} `, 'm'));
  }
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const)
  test(`a bench that ${signal} ends in the middle leaves nothing behind, at the latest when the next one starts`, async (t) => {
    const { pid, kill, ended } = start(t, '--engines', 'ours', '--rounds', '1000');
    await until(() => namespacesOf(pid).length === 5, START_TIMEOUT_MS, 'the network stands');
    await until(
      () => spawnSync('ip', ['netns', 'pids', `sbn-${pid}-3`]).stdout.length > 0,
      START_TIMEOUT_MS,
      'programs run on the last machine',
    );
    kill(signal);
    await ended;
    if (signal === 'SIGKILL') {
      assert(!isGone(pid), 'nobody could tidy up');
      const next = start(t, '--engines', 'ours', '--rounds', '1000');
      await until(() => namespacesOf(next.pid).length === 5, START_TIMEOUT_MS, 'the next network stands');
      next.kill('SIGTERM');
      await next.ended;
      assert(isGone(next.pid));
    }
    assert(isGone(pid), 'namespaces and files are gone');
    assert.equal(
      spawnSync('pgrep', ['-f', `/dev/shm/swarmboot-swarm-${pid}/`]).stdout.length,
      0,
      'no program is left',
    );
  });
