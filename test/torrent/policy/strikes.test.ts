import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_STRIKES, Strikes } from '../../../torrent/policy/strikes.ts';

const HOST = '10.0.0.9';

/** Breaches until the host is out. */
function strikeOut(strikes: Strikes, now: number): number {
  for (let count = 1; count <= 100; count++) if (strikes.ended(HOST, 'bad-length', now)) return count;
  return Number.POSITIVE_INFINITY;
}

test('a few breaches in a short time, and the host is out for a while', () => {
  const strikes = new Strikes();
  assert.equal(strikeOut(strikes, 0), MOST_STRIKES);
  assert.equal(strikes.isOut(HOST, 0), true);
  assert.equal(strikes.isOut('10.0.0.8', 0), false);
  assert.equal(strikes.isOut(HOST, 599_999), true);
  assert.equal(strikes.isOut(HOST, 600_001), false);
  assert.equal(strikeOut(strikes, 700_000), MOST_STRIKES, 'and again');
});

test('it is told once', () => {
  const strikes = new Strikes();
  strikeOut(strikes, 0);
  assert.equal(strikes.ended(HOST, 'bad-length', 1), false);
});

test('rare breaches are forgotten', () => {
  const strikes = new Strikes();
  for (let minute = 0; minute < 100; minute++)
    assert.equal(strikes.ended(HOST, 'bad-length', minute * 61_000), false);
});

test('ends that say nothing against a peer are no breaches', () => {
  const strikes = new Strikes();
  for (const reason of [
    'closed-by-peer',
    'socket-ECONNRESET',
    'both-complete',
    'idle',
    'gave-way',
    'duplicate',
  ])
    for (let count = 0; count < 100; count++) assert.equal(strikes.ended(HOST, reason, 0), false, reason);
  assert.equal(strikes.isOut(HOST, 0), false);
});

test('memory is bounded, whoever strikes', () => {
  const strikes = new Strikes();
  strikeOut(strikes, 0);
  for (let host = 0; host < 5000; host++) strikes.ended(`10.1.${host >> 8}.${host & 255}`, 'bad-length', 1);
  assert.equal(strikes.isOut(HOST, 1), false, 'the quietest was forgotten');
});
