/** How far behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitset } from '../../../torrent/policy/bitset.ts';
import { secondsBehind } from '../../../torrent/policy/lag.ts';
import { Lab, PIECE, PIECES } from './download-lab.ts';

test('alone, or beside an origin only, nobody is behind', () => {
  const lab = new Lab();
  assert.equal(secondsBehind(lab.download, 0), 0);
  lab.join(1, Bitset.full(PIECES), { origin: true });
  assert.equal(secondsBehind(lab.download, 0), 0);
});

test('the mean of the others, at the own rate', () => {
  const lab = new Lab();
  lab.join(1, [0, 1, 2, 3]);
  lab.join(2, [0, 1]);
  lab.download.rate.add(PIECE, 0);
  const seconds = secondsBehind(lab.download, 1000);
  const rate = lab.download.rate.bytesPerSecond(1000);
  assert.ok(rate > 0);
  assert.equal(seconds, (3 * PIECE) / rate);
});

test('who is ahead is not behind', () => {
  const lab = new Lab();
  lab.join(1, [0, 1, 2]);
  while (lab.answer(1));
  lab.settle();
  lab.join(2, []);
  assert.equal(secondsBehind(lab.download, lab.now), 0);
});
