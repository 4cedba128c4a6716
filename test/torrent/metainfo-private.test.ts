import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBencode } from '../../torrent/bencode.ts';
import { isPrivate } from '../../torrent/metainfo-private.ts';

test('only private = 1 is private (BEP 27)', () => {
  assert.equal(isPrivate({ infoBytes: encodeBencode({ name: 'a', private: 1 }) }), true);
  assert.equal(isPrivate({ infoBytes: encodeBencode({ name: 'a', private: 0 }) }), false);
  assert.equal(isPrivate({ infoBytes: encodeBencode({ name: 'private' }) }), false);
});
