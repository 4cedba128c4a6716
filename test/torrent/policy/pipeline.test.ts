import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksPerRequest, pipelineDepth } from '../../../torrent/policy/pipeline.ts';

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
test('one request for what comes in 5 ms, as far as the peer takes it', () => {
  assert.equal(blocksPerRequest(0, 8), 1);
  assert.equal(blocksPerRequest(1.25e6, 8), 1);
  assert.equal(blocksPerRequest(10e6, 8), 3);
  assert.equal(blocksPerRequest(400e6, 8), 8);
  assert.equal(blocksPerRequest(400e6, 1), 1);
});
