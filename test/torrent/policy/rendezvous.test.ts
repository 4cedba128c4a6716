import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ownership, saltOf } from '../../../torrent/policy/rendezvous.ts';

const PIECES = 500;
const ids = fc.uniqueArray(fc.uint8Array({ minLength: 20, maxLength: 20 }), {
  minLength: 2,
  maxLength: 12,
  selector: saltOf,
});

test('machines with the same view own each piece exactly once', () => {
  fc.assert(
    fc.property(ids, (everyone) => {
      const views = everyone.map((id) => {
        const ownership = new Ownership(PIECES, id);
        ownership.setOthers(everyone.filter((other) => other !== id).map(saltOf));
        return ownership;
      });
      for (let piece = 0; piece < PIECES; piece++) {
        assert.equal(views.filter((view) => view.isMine(piece)).length, 1);
      }
    }),
    { numRuns: 30 },
  );
});

test('alone, everything is mine; shares are about even', () => {
  const id = Buffer.from('-SB0100-abcdefghijkl');
  const ownership = new Ownership(PIECES, id);
  assert.ok(Array.from({ length: PIECES }, (_, piece) => ownership.isMine(piece)).every(Boolean));
  ownership.setOthers([1, 2, 3].map((n) => saltOf(Buffer.from(`-SB0100-bcdefghijk${n}x`))));
  const mine = Array.from({ length: PIECES }, (_, piece) => ownership.isMine(piece)).filter(Boolean).length;
  assert.ok(mine > PIECES / 8 && mine < PIECES / 2, `${mine} of ${PIECES}`);
});
