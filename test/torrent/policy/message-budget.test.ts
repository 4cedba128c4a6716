import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL, MessageBudget, PER_SECOND } from '../../../torrent/policy/message-budget.ts';

/** How many messages of that cost pass at once. */
const passes = (budget: MessageBudget, cost: number, now: number): number => {
  let count = 0;
  while (count < 1e6 && budget.spend(cost, now)) count++;
  return count;
};

test('a burst is allowed, a flood is not', () => {
  assert.equal(passes(new MessageBudget(0), 1, 0), FULL);
  assert.equal(passes(new MessageBudget(0), 8, 0), FULL / 8);
});

test('a slow stream may go on for ever', () => {
  const budget = new MessageBudget(0);
  for (let second = 0; second < 1000; second++) {
    for (let message = 0; message < PER_SECOND; message++) assert.ok(budget.spend(1, second * 1000));
  }
});

test('time alone never gives more than the first credit', () => {
  const budget = new MessageBudget(0);
  assert.ok(budget.spend(0, 1e9));
  assert.equal(passes(budget, 1, 1e9), FULL);
});

test('payload and news earn what they cause', () => {
  const budget = new MessageBudget(0);
  // A block each way, a piece, and all the interest that may change for it: for ever, at once.
  for (let round = 0; round < 10_000; round++) {
    budget.payload(16_384);
    budget.pieceKnown();
    assert.ok(budget.spend(8, 0));
  }
});

test('useful messages never run out', () => {
  const budget = new MessageBudget(0);
  for (let round = 0; round < 1e5; round++) assert.ok(budget.spend(0, 0));
});

test('after a refusal, free messages are refused too', () => {
  const budget = new MessageBudget(0);
  while (budget.spend(100, 0));
  assert.equal(budget.spend(0, 0), false);
});
