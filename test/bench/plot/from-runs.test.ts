import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seriesOf } from '../../../bench/plot/from-runs.ts';

test('rounds become a median and a range; origins are lines of their own; gaps are left out', () => {
  const series = seriesOf(
    [
      { engine: 'ours', origin: 'ours', clients: 8, rounds: [1, 3, 1.5].map((lastRatio) => ({ lastRatio })) },
      { engine: 'ours', origin: 'http', clients: 8, rounds: [{ lastRatio: 2 }] },
      { engine: 'aria2', origin: 'aria2', clients: 8, rounds: [] },
      { engine: 'simulated', clients: 1000, lastRatio: 1.25 },
      { engine: 'simulated', clients: 1000, lastRatio: 1.75 },
    ],
    'last',
  );
  assert.deepEqual(
    series.map(({ name, points }) => [name, points]),
    [
      ['ours', [{ x: 8, y: 1.5, range: [1, 3] }]],
      ['ours, http origin', [{ x: 8, y: 2 }]],
      ['simulated', [{ x: 1000, y: 1.5, range: [1.25, 1.75] }]],
    ],
  );
  assert.deepEqual(
    series.map(({ strong = false, dashed = false }) => [strong, dashed]),
    [
      [true, false],
      [false, false],
      [false, true],
    ],
  );
});

test("the server's images are another figure", () => {
  const [line] = seriesOf([{ engine: 'ours', clients: 8, lastRatio: 1, serverPayloadRatio: 1.02 }], 'server');
  assert.deepEqual(line?.points, [{ x: 8, y: 1.02 }]);
});

test('simulated images of several sizes are lines of their own', () => {
  const run = (sizeBytes: number, clients: number) => ({
    engine: 'simulated',
    sizeBytes,
    clients,
    lastRatio: 1.1,
  });
  const names = (runs: Parameters<typeof seriesOf>[0]) => seriesOf(runs, 'last').map(({ name }) => name);
  assert.deepEqual(names([run(2 ** 26, 8), run(2 ** 28, 8), run(2 ** 28, 16)]), [
    'simulated, 64 MiB',
    'simulated, 256 MiB',
  ]);
  assert.deepEqual(names([run(2 ** 28, 8), { ...run(2 ** 26, 8), engine: 'ours' }]), ['simulated', 'ours']);
  const colours = seriesOf([run(2 ** 26, 8), run(2 ** 28, 8)], 'last').map(({ colour }) => colour);
  assert.equal(new Set(colours).size, 2);
});
