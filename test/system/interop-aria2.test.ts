/** aria2 and we, on a hybrid torrent that we made. aria2 finds its peers at a real tracker only. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { launchAria2 as launch } from '../../bench/peers/aria2.ts';
import { startTracker } from '../../bench/tracker.ts';
import { makeImage, writePads } from './support/image.ts';
import { type Meeting, weFetchMetadata, weLeech, weSeed } from './support/interop.ts';
import { ADDRESS } from './support/swarm.ts';
import { closing, temporaryDirectory } from './support/temporary.ts';

async function atTheTracker(t: TestContext) {
  const tracker = closing(t, await startTracker(ADDRESS));
  const image = await makeImage(temporaryDirectory(t), { announce: [tracker.url] });
  writePads(image);
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
