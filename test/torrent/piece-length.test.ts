import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pieceLengthFor } from '../../torrent/piece-length.ts';

const MIB = 2 ** 20;

test('one to two thousand pieces, within limits', () => {
  assert.equal(pieceLengthFor(0), MIB / 8);
  assert.equal(pieceLengthFor(256 * MIB), MIB / 8);
  assert.equal(pieceLengthFor(256 * MIB + 1), MIB / 4);
  assert.equal(pieceLengthFor(2048 * MIB), MIB);
  assert.equal(pieceLengthFor(1e12), 4 * MIB);
  for (let size = 200 * MIB; size < 8192 * MIB; size *= 1.3) {
    const pieces = size / pieceLengthFor(size);
    assert.ok(pieces > 1000 && pieces <= 2048, `${pieces} of ${size}`);
  }
});
