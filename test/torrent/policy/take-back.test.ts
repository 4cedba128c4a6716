/** What was asked for and is given up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitset } from '../../../torrent/policy/bitset.ts';
import { BLOCK_BYTES } from '../../../torrent/policy/pipeline.ts';
import { makeRoom } from '../../../torrent/policy/take-back.ts';
import { Lab, PIECES } from './download-lab.ts';

test('a snubbed peer gives its blocks to others, and is dropped the third time', () => {
  const lab = new Lab();
  lab.join(1, Bitset.full(PIECES));
  const asked = lab.outstanding(1);
  assert.ok(asked > 0);
  lab.now = 5000;
  lab.apply({ type: 'tick' });
  assert.equal(lab.outstanding(1), 1, 'one more chance');
  lab.join(2, Bitset.full(PIECES));
  assert.ok(lab.outstanding(2) > 0);
  lab.now = 10_000;
  lab.apply({ type: 'tick' });
  assert.deepEqual(lab.dropped, []);
  lab.now = 15_000;
  lab.apply({ type: 'tick' });
  assert.ok(lab.dropped.some(({ peer, reason, ban }) => peer === 1 && reason === 'unresponsive' && !ban));
  lab.finish();
});

test('endgame: the last blocks of a slow peer are asked of an idle one, and cancelled', () => {
  const lab = new Lab();
  lab.join(1, [5]);
  assert.equal(lab.outstanding(1), 4);
  lab.join(2, [5]);
  assert.equal(lab.outstanding(2), 0, 'not at once: other pieces are missing, it may just be slow');
  lab.now = 2100;
  lab.apply({ type: 'tick' });
  assert.equal(lab.outstanding(2), 4);
  while (lab.answer(2));
  assert.equal(lab.outstanding(1), 0, 'the slow one is told');
  lab.settle();
  assert.ok(lab.download.have.has(5));
});

test('a late answer to a cancelled request is taken to no effect', () => {
  const lab = new Lab();
  lab.join(1, [5]);
  lab.join(2, [5]);
  lab.now = 2100;
  lab.apply({ type: 'tick' });
  while (lab.answer(2));
  lab.settle();
  assert.equal(lab.download.standing(1, 5, 0, BLOCK_BYTES), 'surplus');
  lab.apply({ type: 'block', peer: 1, piece: 5, begin: 0, bytes: Buffer.alloc(BLOCK_BYTES) });
  assert.equal(lab.download.received.wasted, BLOCK_BYTES);
  assert.equal(lab.download.standing(1, 5, 0, BLOCK_BYTES), 'unrequested', 'once, not twice');
});

test('room is made of a piece that nobody can continue, and of no other', () => {
  const lab = new Lab();
  lab.join(1, [5]);
  assert.equal(makeRoom(lab.download, [], lab.now), false, 'it is being worked on');
  lab.answer(1);
  lab.leave(1);
  lab.join(2, [5]);
  assert.equal(makeRoom(lab.download, [], lab.now), false, 'another works on it');
  lab.leave(2);
  assert.equal(makeRoom(lab.download, [], lab.now), true);
  assert.equal(lab.download.active.size, 0);
  lab.join(3, Bitset.full(PIECES));
  lab.finish();
});
