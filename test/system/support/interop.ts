/** One real client against ours: it seeds and we leech, or the other way round; then every byte is compared. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Client, LaunchClient } from '../../../bench/peers/client.ts';
import { fetchMetadata } from '../../../torrent/index.ts';
import { assertCopied, type TestImage } from './image.ts';
import { ADDRESS, completed, DOWNLOAD_TIMEOUT_MS, endpointOf, leech, seed } from './swarm.ts';
import { closing, temporaryDirectory } from './temporary.ts';

export interface Meeting {
  readonly launch: LaunchClient;
  readonly image: TestImage;
  /** Trackers for our side. The other side takes those of the torrent. */
  readonly trackers?: readonly string[];
  /** Whether the two are told of each other; if not, they have to meet at the tracker. */
  readonly introduce?: boolean;
}

async function launchSeed(t: TestContext, { launch, image }: Meeting): Promise<Client> {
  const client = await launch({
    mode: 'seed',
    torrent: image.torrent,
    directory: image.directory,
    address: ADDRESS,
  });
  closing(t, client);
  await client.begin([]);
  return client;
}

/** The real client seeds, we leech. */
export async function weLeech(t: TestContext, meeting: Meeting): Promise<void> {
  const { image, trackers = [], introduce = true } = meeting;
  const client = await launchSeed(t, meeting);
  const directory = temporaryDirectory(t);
  const swarm = await leech(t, image, directory, {
    trackers,
    peers: introduce ? [endpointOf(client)] : [],
  });
  await completed(swarm);
  const stats = swarm.stats();
  assert.equal(stats.hashFailures, 0);
  assert.equal(stats.bannedPeers, 0);
  assert(stats.downloaded.peers >= stats.totalBytes, 'every byte came over the wire of a peer');
  assertCopied(image, directory);
}

/** We seed, the real client leeches. */
export async function weSeed(
  t: TestContext,
  { launch, image, trackers = [], introduce = true }: Meeting,
): Promise<void> {
  const swarm = await seed(t, image, { trackers });
  const directory = temporaryDirectory(t);
  const client = closing(
    t,
    await launch({ mode: 'leech', torrent: image.torrent, directory, address: ADDRESS }),
  );
  await client.begin([endpointOf(swarm)]);
  if (introduce) swarm.addPeers([endpointOf(client)]);
  await client.finished(DOWNLOAD_TIMEOUT_MS);
  await client.close(); // some keep the last bytes in a cache
  assertCopied(image, directory);
  assert(swarm.stats().uploaded >= image.metainfo.payloadLength, 'every byte came from us');
}

/** The real client seeds, we know only the infohash. */
export async function weFetchMetadata(t: TestContext, meeting: Meeting): Promise<void> {
  const { image, trackers = [], introduce = true } = meeting;
  const client = await launchSeed(t, meeting);
  const info = await fetchMetadata({
    infohash: image.metainfo.wireInfohash,
    peers: introduce ? [endpointOf(client)] : [],
    trackers,
    signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS),
  });
  assert(info.equals(image.metainfo.infoBytes), 'the info dictionary came byte for byte');
}
