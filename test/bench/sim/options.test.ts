/** What `scripts/bench sim` is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSimOptions } from '../../../bench/sim/options.ts';
import { QUIET_LAN } from '../../../bench/sim/scenario.ts';

test('without words: two sizes of a quiet room, three seeds each, pieces as the image has them', () => {
  const { scenarios, json, append } = parseSimOptions([])!;
  assert.deepEqual(
    scenarios.map(({ machines, seed }) => `${machines}/${seed}`),
    ['8/1', '8/2', '8/3', '16/1', '16/2', '16/3'],
  );
  assert.deepEqual(scenarios[0], { ...QUIET_LAN, machines: 8, seed: 1, pieceBytes: 128 * 1024 });
  assert.equal(json, undefined);
  assert.equal(append, false);
});

test('sizes, rates and shares', () => {
  const words =
    '--machines 1000 --size 1GiB --piece 512 --rate 1Gbit --seeds 1 --first-seed 7 --leave-every 0.05';
  const [scenario] = parseSimOptions([
    ...words.split(' '),
    '--staggered',
    '45',
    '--origin',
    'webseed',
  ])!.scenarios;
  assert.deepEqual(scenario, {
    ...QUIET_LAN,
    machines: 1000,
    seed: 7,
    sizeBytes: 2 ** 30,
    pieceBytes: 2 ** 19,
    rateBitsPerSecond: 1e9,
    leaveEvery: 0.05,
    staggeredSeconds: 45,
    origin: 'webseed',
  });
});

test('help, and what cannot be simulated', () => {
  assert.equal(parseSimOptions(['--help']), undefined);
  for (const [words, reason] of [
    [['--machines', '0'], /whole number from 1/],
    [['--machines', '8,'], /whole number from 1/],
    [['--hostile', '1.5'], /number from 0 to 1/],
    [['--rate', 'fast'], /give a number above 0/],
    [['--origin', 'theirs'], /give ours or plain or webseed/],
    [['--append'], /needs --json/],
    [['--speed', '9'], /--speed/],
  ] as const)
    assert.throws(() => parseSimOptions([...words]), { message: reason });
});
