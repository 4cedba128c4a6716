import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePeerId } from '../../torrent/peer-id.ts';

test('20 bytes, ours by the first eight, another one each time', () => {
  const [one, other] = [makePeerId(), makePeerId()];
  assert.equal(one.length, 20);
  assert.match(one.toString('latin1', 0, 8), /^-SB\d{4}-$/);
  assert.deepEqual(one.subarray(0, 8), other.subarray(0, 8));
  assert.notDeepEqual(one, other);
});
