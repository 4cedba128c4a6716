import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksPerRequest, fewestBlocks, RequestWindow } from '../../../torrent/policy/pipeline.ts';

const roomy = { requestQueue: 1000, snubbed: false };

/** The depth after `blocks` blocks from a peer that sends one every `perBlockMs`: each waits for those before it. */
function depthBehind(perBlockMs: number, blocks: number, peers = 8): number {
  const window = new RequestWindow();
  for (let block = 0; block < blocks; block++)
    window.arrived(window.depth(roomy) * perBlockMs, fewestBlocks(peers));
  return window.depth(roomy);
}

test('as many blocks as arrive in about a tenth of a second', () => {
  for (const perBlockMs of [1, 3, 10]) {
    const waitMs = depthBehind(perBlockMs, 5000) * perBlockMs;
    assert.ok(waitMs > 60 && waitMs < 130, `${waitMs} ms at ${perBlockMs} ms per block`);
  }
});
test('a fast peer that is near gets 2 MiB, and more only if that is no queue', () => {
  assert.equal(depthBehind(0.03, 600), 128);
  assert.equal(depthBehind(0.001, 600), 512);
});
test('a fast peer that is far away gets all it can take', () => {
  const window = new RequestWindow();
  for (let block = 0; block < 600; block++) window.arrived(20 + window.depth(roomy) * 0.005, 8);
  assert.equal(window.depth(roomy), 512);
});
test('a slow peer keeps a few, so that its link is never idle', () => {
  assert.equal(depthBehind(500, 100), 8);
  assert.equal(depthBehind(500, 100, 20), 4);
});
test('never more than the peer holds', () => {
  const window = new RequestWindow();
  for (let block = 0; block < 600; block++) window.arrived(0, 8);
  assert.equal(window.depth({ requestQueue: 50, snubbed: false }), 50);
});
test('a snubbed peer gets one block', () => {
  assert.equal(new RequestWindow().depth({ requestQueue: 50, snubbed: true }), 1);
});
test('one request for what comes in 5 ms, as far as the peer takes it', () => {
  assert.equal(blocksPerRequest(0, 8), 1);
  assert.equal(blocksPerRequest(1.25e6, 8), 1);
  assert.equal(blocksPerRequest(10e6, 8), 3);
  assert.equal(blocksPerRequest(400e6, 8), 8);
  assert.equal(blocksPerRequest(400e6, 1), 1);
});
