import assert from 'node:assert/strict';
import { test } from 'node:test';
import { webseedMayHelp } from '../../../torrent/policy/webseed-turn.ts';

const base = {
  startedAt: 0,
  now: 10_000,
  connectedPeers: 2,
  hasSource: true,
  peersExpected: true,
  lastBlockAt: 9_900 as number | undefined,
  bytesPerSecond: 1e6,
};

test('not while peers deliver', () => assert.equal(webseedMayHelp(base), false));
test('at once where no peer can be expected', () => {
  const alone = { ...base, now: 0, connectedPeers: 0, lastBlockAt: undefined, peersExpected: false };
  assert.equal(webseedMayHelp(alone), true);
});
test('soon where nobody answers', () => {
  const alone = { ...base, connectedPeers: 0, lastBlockAt: undefined };
  assert.equal(webseedMayHelp({ ...alone, now: 1000 }), false);
  assert.equal(webseedMayHelp({ ...alone, now: 1500 }), true);
});
test('three seconds after the last block', () => {
  assert.equal(webseedMayHelp({ ...base, lastBlockAt: 7001 }), false);
  assert.equal(webseedMayHelp({ ...base, lastBlockAt: 7000 }), true);
});
test('when peers only crawl', () => assert.equal(webseedMayHelp({ ...base, bytesPerSecond: 1000 }), true));
test('not in the first three seconds of a connection', () => {
  assert.equal(webseedMayHelp({ ...base, now: 2000, lastBlockAt: undefined, bytesPerSecond: 0 }), false);
});
test('at once where no peer has everything: then it is the origin', () => {
  const begin = { ...base, now: 100, hasSource: false, lastBlockAt: undefined, bytesPerSecond: 0 };
  assert.equal(webseedMayHelp(begin), true);
  assert.equal(webseedMayHelp({ ...begin, connectedPeers: 0 }), false, 'peers are waited for');
});
