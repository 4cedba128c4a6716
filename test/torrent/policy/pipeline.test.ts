import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pipelineDepth } from '../../../torrent/policy/pipeline.ts';

const base = { bytesPerSecond: 0, blocksPerPiece: 64, requestQueue: 1000, snubbed: false };

test('one piece at the begin and for slow peers', () => {
  assert.equal(pipelineDepth(base), 64);
  assert.equal(pipelineDepth({ ...base, bytesPerSecond: 1_250_000 }), 64);
});
test('a fast peer gets at least 256 blocks', () => {
  assert.ok(pipelineDepth({ ...base, bytesPerSecond: 400e6 }) >= 256);
});
test('never more than the peer holds', () => {
  assert.equal(pipelineDepth({ ...base, bytesPerSecond: 400e6, requestQueue: 50 }), 50);
});
test('small pieces still fill the wire', () => {
  assert.equal(pipelineDepth({ ...base, blocksPerPiece: 1 }), 16);
});
test('a snubbed peer gets one block', () => {
  assert.equal(pipelineDepth({ ...base, bytesPerSecond: 400e6, snubbed: true }), 1);
});
