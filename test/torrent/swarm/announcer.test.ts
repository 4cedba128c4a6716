/** Who hears of a piece when: over connections that only note what is sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Announcer } from '../../../torrent/swarm/announcer.ts';
import type { PeerConnection } from '../../../torrent/wire/peer-connection.ts';

interface Noted {
  readonly told: number[];
  flushes: number;
}

/** A room of `count` peers, keys 1 to `count`; `has`: who has which piece. */
function makeRoom(count: number, has: (key: number, piece: number) => boolean) {
  const noted = new Map<number, Noted>();
  const peers = new Map<number, PeerConnection>();
  for (let key = 1; key <= count; key++) {
    const note: Noted = { told: [], flushes: 0 };
    noted.set(key, note);
    const peer = {
      wire: { haveLater: (piece: number) => note.told.push(piece) },
      flush: () => note.flushes++,
    };
    peers.set(key, peer as unknown as PeerConnection);
  }
  return { noted, peers, announcer: new Announcer(peers, has) };
}

const flushesOf = (noted: ReadonlyMap<number, Noted>): number[] =>
  [...noted.values()].map(({ flushes }) => flushes);

test('who misses a piece hears of it in a moment, of several at once; who has it, later', async () => {
  const { noted, announcer } = makeRoom(3, (key) => key === 2);
  assert.equal(announcer.announce(7), true);
  announcer.announce(8);
  for (const { told } of noted.values()) assert.deepEqual(told, [7, 8]);
  assert.deepEqual(flushesOf(noted), [0, 0, 0]);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(flushesOf(noted), [1, 0, 1]);
  assert.equal(announcer.announce(9), true);
  announcer.flush();
  assert.deepEqual(flushesOf(noted), [2, 1, 2]);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(flushesOf(noted), [2, 1, 2], 'nothing was left to do');
});

test('who left meanwhile is not spoken to, and after the end nobody is', async () => {
  const { noted, peers, announcer } = makeRoom(2, () => false);
  announcer.announce(1);
  peers.delete(1);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(flushesOf(noted), [0, 1]);
  announcer.announce(2);
  announcer.close();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(flushesOf(noted), [0, 1]);
});

test('a piece that everybody has is missed by nobody', () => {
  const { announcer } = makeRoom(2, () => true);
  assert.equal(announcer.announce(7), false);
  announcer.close();
});
