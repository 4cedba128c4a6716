/**
 * aria2 and we. aria2 cannot be told of a peer: both sides meet at a real tracker.
 *
 * aria2 1.36 gets the infohash of every hybrid torrent wrong (see aria2Reads), so it is given a v1 torrent of the same
 * files, whose files lie across pieces; a version that gets it right is given the hybrid that we made.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { aria2Reads, launchAria2 as launch } from '../../bench/peers/aria2.ts';
import { createByLibtorrent } from '../../bench/peers/libtorrent.ts';
import { startTracker } from '../../bench/tracker.ts';
import { makeImage, withTorrent, writePads } from './support/image.ts';
import { type Meeting, weFetchMetadata, weLeech, weSeed } from './support/interop.ts';
import { ADDRESS } from './support/swarm.ts';
import { closing, temporaryDirectory } from './support/temporary.ts';

async function atTheTracker(t: TestContext) {
  const tracker = closing(t, await startTracker(ADDRESS));
  const root = temporaryDirectory(t);
  const hybrid = await makeImage(root, { announce: [tracker.url] });
  let image = hybrid;
  if (aria2Reads(hybrid.torrent, hybrid.metainfo.wireInfohash)) writePads(hybrid);
  else {
    const target = join(root, 'v1.torrent');
    const source = join(hybrid.directory, hybrid.metainfo.name);
    createByLibtorrent({ source, target, kind: 'v1', pieceLength: 2 ** 18, announce: [tracker.url] });
    image = withTorrent(hybrid, target);
  }
  const meeting: Meeting = { launch, image, trackers: [tracker.url], introduce: false };
  return { meeting, tracker };
}

test('aria2 seeds, we find it at the tracker and leech', async (t) => {
  const { meeting, tracker } = await atTheTracker(t);
  await weLeech(t, meeting);
  assert(tracker.announces() >= 2, 'both sides announced');
});

test('we seed, aria2 finds us at the tracker and leeches', async (t) => {
  const { meeting, tracker } = await atTheTracker(t);
  await weSeed(t, meeting);
  assert(tracker.announces() >= 2, 'both sides announced');
});

test('aria2 gives us the metadata for a magnet link with a tracker', async (t) => {
  const { meeting } = await atTheTracker(t);
  await weFetchMetadata(t, meeting);
});
