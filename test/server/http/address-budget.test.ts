import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressBudget } from '../../../server/http/address-budget.ts';

test('a burst, then so many a second, each address by itself', () => {
  const budget = new AddressBudget({ burst: 3, perSecond: 2 });
  const takes = (address: string, now: number): number => {
    let count = 0;
    while (budget.take(address, now)) count++;
    return count;
  };
  assert.equal(takes('10.0.0.1', 0), 3);
  assert.equal(takes('10.0.0.2', 0), 3);
  assert.equal(takes('10.0.0.1', 1000), 2);
  assert.equal(takes('10.0.0.1', 1_000_000), 3);
});

test('whoever asks in vain does not wait longer for it', () => {
  const budget = new AddressBudget({ burst: 1, perSecond: 1 });
  assert.ok(budget.take('a', 0));
  for (let now = 0; now < 1000; now += 10) assert.ok(!budget.take('a', now));
  assert.ok(budget.take('a', 1000));
});

test('endless addresses do not fill the memory, and do not reset one that goes on asking', () => {
  const budget = new AddressBudget({ burst: 5, perSecond: 0 });
  let granted = 0;
  for (let n = 0; n < 50_000; n++) {
    budget.take(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 0);
    if (budget.take('192.168.0.1', 0)) granted++;
  }
  assert.equal(granted, 5);
});
