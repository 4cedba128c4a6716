import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK_BYTES } from '../../../torrent/policy/pipeline.ts';
import { Suspects } from '../../../torrent/policy/suspects.ts';

const piece = (fill: number): Buffer => Buffer.alloc(3 * BLOCK_BYTES, fill);

test('one source is the culprit', () => {
  assert.deepEqual(new Suspects().failed(0, [7, 7, 7], piece(1)), [7]);
});

test('several sources: the good copy shows who lied', () => {
  const suspects = new Suspects();
  const bad = piece(1);
  bad[BLOCK_BYTES + 5] = 9;
  assert.deepEqual(suspects.failed(4, [1, 2, 3], bad), []);
  assert.ok(suspects.mustBeSingle(4));
  assert.ok(!suspects.mustBeSingle(5));
  assert.deepEqual(suspects.verified(4, piece(1)), [2]);
  assert.ok(!suspects.mustBeSingle(4));
  assert.deepEqual(suspects.verified(4, piece(1)), []);
});

test('failures add up until there is a good copy', () => {
  const suspects = new Suspects();
  const first = piece(1);
  first[0] = 9;
  const second = piece(1);
  second[2 * BLOCK_BYTES] = 9;
  suspects.failed(0, [1, 2, 3], first);
  assert.deepEqual(suspects.failed(0, [5, 5, 5], second), [5]);
  suspects.failed(0, [4, 2, 6], second);
  assert.deepEqual(suspects.verified(0, piece(1)).sort(), [1, 6]);
});
