import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptsMore, dialsWanted } from '../../../torrent/policy/mesh.ts';

const alone = { connected: 0, dialing: 0, maxPeers: 50, lagSeconds: 0 };

test('a machine dials until it has a few connections', () => {
  assert.equal(dialsWanted(alone), 10, 'at once');
  assert.equal(dialsWanted({ ...alone, dialing: 4 }), 6);
  assert.equal(dialsWanted({ ...alone, connected: 9, dialing: 2 }), 1);
  assert.equal(dialsWanted({ ...alone, connected: 14 }), 0);
});
test('one that falls behind dials more', () => {
  assert.equal(dialsWanted({ ...alone, connected: 14, lagSeconds: 1 }), 2);
  assert.equal(dialsWanted({ ...alone, connected: 14, lagSeconds: 0.2 }), 0);
});
test('never more than it may have', () => {
  assert.equal(dialsWanted({ ...alone, maxPeers: 3, lagSeconds: 9 }), 3);
  assert.equal(acceptsMore({ connected: 3, maxPeers: 3, complete: false }), false);
});
test('it accepts a few more than it dials, and a complete one accepts all', () => {
  assert.equal(acceptsMore({ connected: 13, maxPeers: 50, complete: false }), true);
  assert.equal(acceptsMore({ connected: 14, maxPeers: 50, complete: false }), false);
  assert.equal(acceptsMore({ connected: 49, maxPeers: 50, complete: true }), true);
});
