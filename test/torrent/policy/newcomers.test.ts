import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Newcomers } from '../../../torrent/policy/newcomers.ts';
import { Random } from '../../fuzz/random.ts';

test('of all who ask at once each is among the chosen with the same chance', () => {
  const random = new Random(7);
  const PLACES = 14;
  const ASK = 50;
  const kept = new Array<number>(ASK).fill(0);
  const ROUNDS = 2000;
  for (let round = 0; round < ROUNDS; round++) {
    const newcomers = new Newcomers();
    const chosen: number[] = [];
    for (let each = 0; each < ASK; each++) {
      const may = newcomers.mayReplace(`10.0.0.${each}`, 0, () => random.below(1e6) / 1e6);
      if (chosen.length < PLACES) chosen.push(each);
      else if (may) chosen[random.below(PLACES)] = each;
    }
    for (const each of chosen) kept[each]!++;
  }
  for (const [each, count] of kept.entries()) {
    const share = count / ROUNDS;
    assert.ok(share > 0.23 && share < 0.33, `number ${each} of ${ASK}: ${share}, 0.28 is fair`);
  }
});

test('who comes long after all others has a chance of a quarter', () => {
  const newcomers = new Newcomers();
  for (let each = 0; each < 1000; each++) newcomers.mayReplace(`10.0.${each >> 8}.${each & 255}`, 0, () => 1);
  assert.equal(
    newcomers.mayReplace('10.1.0.1', 0, () => 0.24),
    true,
  );
  assert.equal(
    newcomers.mayReplace('10.1.0.2', 0, () => 0.26),
    false,
  );
});

test('a host has one chance in five seconds, however often it asks', () => {
  const newcomers = new Newcomers();
  const ask = (now: number): boolean => newcomers.mayReplace('10.0.0.1', now, () => 0);
  assert.equal(ask(0), true);
  for (let now = 1; now < 5000; now += 100) assert.equal(ask(now), false, `${now} ms`);
  assert.equal(ask(5000), true);
  assert.equal(
    newcomers.mayReplace('127.0.0.1', 0, () => 0),
    true,
  );
  assert.equal(
    newcomers.mayReplace('127.0.0.1', 0, () => 0),
    true,
    'all peers on loopback share a host',
  );
});

test('hosts that are remembered are bounded', () => {
  const newcomers = new Newcomers();
  const host = (each: number): string => `10.${each >> 16}.${(each >> 8) & 255}.${each & 255}`;
  for (let each = 0; each < 3000; each++) newcomers.mayReplace(host(each), 0, () => 0);
  assert.equal(
    newcomers.mayReplace(host(2999), 1, () => 0),
    false,
  );
  assert.equal(
    newcomers.mayReplace(host(0), 1, () => 0),
    true,
    'forgotten',
  );
});
