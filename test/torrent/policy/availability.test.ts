import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Availability } from '../../../torrent/policy/availability.ts';
import { Bitset } from '../../../torrent/policy/bitset.ts';

const PIECES = 20;

test('counts are what recounting every peer says, through joins, haves and leaves', () => {
  const step = fc.record({
    peer: fc.nat(5),
    what: fc.constantFrom('join', 'have', 'leave'),
    pieces: fc.array(fc.nat(PIECES - 1), { maxLength: 30 }),
    full: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const availability = new Availability(PIECES);
      const peers = new Map<number, Bitset>();
      for (const { peer, what, pieces, full } of steps) {
        const bits = peers.get(peer);
        if (what === 'join' && !bits) {
          const joined = full ? Bitset.full(PIECES) : new Bitset(PIECES);
          for (const piece of pieces) joined.add(piece);
          peers.set(peer, joined);
          availability.add(joined);
        } else if (what === 'have' && bits) {
          for (const piece of pieces) if (bits.add(piece)) availability.gained(bits, piece);
        } else if (what === 'leave' && bits) {
          peers.delete(peer);
          availability.remove(bits);
        }
        for (let piece = 0; piece < PIECES; piece++) {
          assert.equal(availability.of(piece), [...peers.values()].filter((one) => one.has(piece)).length);
        }
        assert.equal(availability.completePeers, [...peers.values()].filter((one) => one.isFull).length);
      }
    }),
  );
});
