import assert from 'node:assert/strict';
import { test } from 'node:test';
import { departures } from '../../../bench/swarm/departures.ts';

const standing = (machines: number, gone: number, progress: number, done: readonly number[] = []) => ({
  present: Array.from({ length: machines - gone }, (_, index) => index),
  done: new Set(done),
  gone,
  progress,
});

test('one leaves at each 5 %, the last first', () => {
  let gone = 0;
  const left: (readonly [number, number])[] = [];
  for (let percent = 0; percent <= 100; percent++)
    for (const machine of departures(standing(8, gone, percent / 100))) {
      left.push([percent, machine]);
      gone++;
    }
  assert.deepEqual(left, [
    [5, 7],
    [10, 6],
    [15, 5],
    [20, 4],
    [25, 3],
    [30, 2],
  ]);
});

test('a jump makes up for what was not seen', () => {
  assert.deepEqual(departures(standing(8, 0, 0.16)), [5, 6, 7]);
});

test('two stay, and who is done does not leave', () => {
  assert.deepEqual(departures(standing(2, 0, 0.9)), []);
  assert.deepEqual(departures(standing(4, 0, 0.05, [2, 3])), [1]);
});
