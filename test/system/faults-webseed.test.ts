/** A webseed with altered files: nothing of it is taken, the rest of the swarm delivers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { assertCopied, makeImage } from './support/image.ts';
import { serveRelease } from './support/release.ts';
import { ADDRESS, completed, DOWNLOAD_TIMEOUT_MS, endpointOf, leech, seed } from './support/swarm.ts';
import { closing, temporaryDirectory } from './support/temporary.ts';

test('a webseed alone is enough', async (t) => {
  const root = temporaryDirectory(t);
  const image = await makeImage(root);
  const server = closing(t, await serveRelease(image, root, { address: ADDRESS }));
  const directory = temporaryDirectory(t);
  const swarm = await leech(t, image, directory, { webseeds: [server.webseedUrl] });
  await completed(swarm);
  assertCopied(image, directory);
  assert(swarm.stats().downloaded.webseed >= image.metainfo.payloadLength);
  assert(server.sent.fileBytes < 1.2 * image.metainfo.payloadLength, 'and sent about one image');
});

test('an altered root image on the webseed is refused, the peers have the true one', async (t) => {
  const root = temporaryDirectory(t);
  const image = await makeImage(root);
  const server = closing(t, await serveRelease(image, root, { address: ADDRESS }));
  server.alter = (path, _, bytes) => {
    if (path !== 'root.squashfs' || bytes.length === 0) return false;
    bytes[bytes.length >> 1]! ^= 0x80;
    return true;
  };
  const directory = temporaryDirectory(t);
  const swarm = await leech(t, image, directory, { webseeds: [server.webseedUrl] });
  await once(swarm, 'hash-failure', { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
  assert(server.sent.altered > 0, 'altered bytes were served');

  const honest = await seed(t, image);
  swarm.addPeers([endpointOf(honest)]);
  await completed(swarm);
  assertCopied(image, directory);
  assert.equal(swarm.stats().bannedPeers, 0, 'no peer was blamed');
  assert(
    server.sent.fileBytes < 8 * image.metainfo.payloadLength,
    'the webseed was not asked over and over again',
  );
});
