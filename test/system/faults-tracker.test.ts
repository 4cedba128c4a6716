/** Trackers that are down or hostile: the agent downloads from the peers it was given, and stays small and calm. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../../bench/peers/free-port.ts';
import { type FetchResult, fetchResult, startFetch } from './support/fetch.ts';
import { startHostileTracker, WAYS_TO_BE_HOSTILE } from './support/hostile-tracker.ts';
import { assertCopied, makeImage } from './support/image.ts';
import { serveRelease } from './support/release.ts';
import { ADDRESS, DOWNLOAD_TIMEOUT_MS, seed } from './support/swarm.ts';
import { closing, temporaryDirectory } from './support/temporary.ts';

/** Slow enough that the tracker has seconds to do its worst. */
const UPLOAD_BYTES_PER_SECOND = 4_000_000;
/** Most announces in one such download: the first, its retries, and the ends. */
const MOST_ANNOUNCES = 12;

/** Fetches a release whose metainfo names only that tracker; the one peer is given on the command line. */
async function fetchWithTracker(t: TestContext, announce: string): Promise<FetchResult> {
  const root = temporaryDirectory(t);
  const image = await makeImage(root);
  const outer = { announce: [announce], webseed: false };
  const server = closing(t, await serveRelease(image, root, { address: ADDRESS, outer }));
  server.serveFiles = false;
  const honest = await seed(t, image, { uploadBytesPerSecond: UPLOAD_BYTES_PER_SECOND });
  const directory = temporaryDirectory(t);
  const child = startFetch(t, {
    manifestUrl: server.manifestUrl,
    keyFile: server.keyFile,
    directory: join(directory, image.metainfo.name),
    more: ['--peer', `${ADDRESS}:${honest.port}`],
  });
  const result = await fetchResult(child, DOWNLOAD_TIMEOUT_MS);
  assert.equal(result.exit, 0, JSON.stringify(result.summary));
  assert.equal(result.summary.ok, true);
  assertCopied(image, directory);
  return result;
}

test('a tracker that is down does not keep the agent from its peers', async (t) => {
  const { events } = await fetchWithTracker(t, `http://${ADDRESS}:${await freePort(ADDRESS)}/announce`);
  const warnings = events.filter(({ event }) => event === 'warning').map(({ message }) => String(message));
  assert(
    warnings.some((message) => /refused/i.test(message)),
    `it was tried, and told: ${JSON.stringify(warnings)}`,
  );
});

for (const way of WAYS_TO_BE_HOSTILE) {
  test(`a tracker that ${way} does no harm`, async (t) => {
    const tracker = closing(t, await startHostileTracker(ADDRESS, way));
    const { summary } = await fetchWithTracker(t, tracker.url);
    assert(tracker.announces() > 0, 'the tracker was asked');
    assert(tracker.announces() <= MOST_ANNOUNCES, `and not ${tracker.announces()} times`);
    assert(Number(summary.peakRssBytes) < 200 * 2 ** 20, `peak of ${summary.peakRssBytes} bytes`);
    if (way === 'sends 400 MB') {
      assert(tracker.sentBytes() > 0);
      assert(tracker.sentBytes() < 64 * 2 ** 20, `${tracker.sentBytes()} bytes were taken`);
    }
  });
}
