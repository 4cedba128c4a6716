import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../bench/sim/random.ts';

const numbers = (seed: number): number[] => {
  const random = new Random(seed);
  return Array.from({ length: 1000 }, random.next);
};

test('the same seed gives the same numbers, another seed others', () => {
  assert.deepEqual(numbers(7), numbers(7));
  assert.notDeepEqual(numbers(7).slice(0, 3), numbers(8).slice(0, 3));
  for (let seed = 0; seed < 50; seed++) {
    const mean = numbers(seed).reduce((sum, value) => sum + value, 0) / 1000;
    assert.ok(Math.abs(mean - 0.5) < 0.06, `seed ${seed}: mean ${mean}`);
  }
});

test('some of many, each once', () => {
  const random = new Random(1);
  const some = random.some([1, 2, 3, 4, 5], 3);
  assert.equal(new Set(some).size, 3);
  assert.deepEqual(random.some([1, 2], 9).sort(), [1, 2]);
});
