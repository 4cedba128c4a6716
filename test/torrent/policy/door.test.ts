import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  drawnByLot,
  type Guest,
  isHostFull,
  leastUseful,
  MOST_PER_HOST,
  slowestToShakeHands,
} from '../../../torrent/policy/door.ts';

const guest = (changes: Partial<Guest> = {}): Guest => ({
  host: '10.0.0.1',
  isOpen: true,
  cameIn: true,
  isOrigin: false,
  since: 0,
  usefulAt: 0,
  ...changes,
});

test('one host gets a few places, all others theirs', () => {
  const crowd = Array.from({ length: MOST_PER_HOST }, () => guest());
  assert.equal(isHostFull('10.0.0.1', crowd.slice(1)), false);
  assert.equal(isHostFull('10.0.0.1', crowd), true);
  assert.equal(isHostFull('10.0.0.2', crowd), false);
});

test('on loopback every peer has the same host', () => {
  const crowd = Array.from({ length: 100 }, () => guest({ host: '127.0.0.1' }));
  assert.equal(isHostFull('127.0.0.1', crowd), false);
});

test('the oldest stranger gives way, those who are open or were dialed do not', () => {
  const now = 10_000;
  const slow = guest({ isOpen: false, since: 2000 });
  const slower = guest({ isOpen: false, since: 1000 });
  const dialed = guest({ isOpen: false, cameIn: false, since: 0 });
  const fresh = guest({ isOpen: false, since: 9500 });
  assert.equal(slowestToShakeHands([slow, slower, dialed, fresh, guest()], now), slower);
  assert.equal(slowestToShakeHands([fresh, dialed, guest()], now), undefined);
});

test('whoever neither gives nor takes gives way, those who do stay', () => {
  const now = 100_000;
  const idle = guest({ usefulAt: 60_000 });
  const longIdle = guest({ usefulAt: 10_000 });
  const busy = guest({ usefulAt: 99_000 });
  const stranger = guest({ isOpen: false, usefulAt: 0 });
  assert.equal(leastUseful([busy, idle, longIdle, stranger], now), longIdle);
  assert.equal(leastUseful([busy, stranger], now), undefined);
});

test('the lot falls on any peer that is open, and on no origin', () => {
  const first = guest();
  const second = guest({ cameIn: false });
  const guests = [guest({ isOrigin: true }), first, guest({ isOpen: false }), second];
  const drawn = [0, 0.49, 0.5, 0.99].map((lot) => drawnByLot(guests, () => lot));
  assert.deepEqual(drawn, [first, first, second, second]);
  assert.equal(
    drawnByLot([guest({ isOrigin: true })], () => 0),
    undefined,
  );
});

test('saying that it is an origin keeps nobody who is of no use', () => {
  const useless = guest({ isOrigin: true, usefulAt: 0 });
  assert.equal(leastUseful([useless], 100_000), useless);
});
