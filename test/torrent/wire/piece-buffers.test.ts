import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PieceBuffers } from '../../../torrent/wire/piece-buffers.ts';

test('a piece keeps its buffer until it is released, then it is used again', () => {
  const buffers = new PieceBuffers(100, 2);
  const first = buffers.of(1, 60);
  assert.equal(first.length, 60);
  assert.equal(buffers.of(1, 60).buffer, first.buffer);
  assert.notEqual(buffers.of(2, 100).buffer, first.buffer);
  assert.equal(buffers.inUse, 2);
  buffers.release(1);
  buffers.release(1);
  assert.equal(buffers.of(3, 100).buffer, first.buffer);
  assert.equal(buffers.inUse, 2);
});
