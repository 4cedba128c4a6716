/** Machines find each other without any server, each in a network namespace of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertCopied, makeImage } from './support/image.ts';
import { leaveLinkLocal, makeNetwork } from './support/namespaces.ts';
import { DOWNLOAD_TIMEOUT_MS } from './support/swarm.ts';
import { startSwarmProcess } from './support/swarm-process.ts';
import { temporaryDirectory } from './support/temporary.ts';
import { until } from './support/until.ts';

/** The other has been there for so long: only answering brings them together at once. */
const SETTLED_MS = 2_000;

test('no tracker, nobody named: machines find each other on the link', async (t) => {
  const image = await makeImage(temporaryDirectory(t));
  const [first, second, third] = makeNetwork(t, 3);
  assert(first && second && third);
  const { torrent } = image;
  const seed = startSwarmProcess(t, first.namespace, {
    ...{ torrent, directory: image.directory, complete: true, localDiscovery: true },
  });
  await seed.event('complete', DOWNLOAD_TIMEOUT_MS);
  await sleep(SETTLED_MS);
  for (const { namespace } of [second, third]) {
    const directory = temporaryDirectory(t);
    const leech = startSwarmProcess(t, namespace, { torrent, directory, localDiscovery: true });
    const peer = await leech.event('peer', DOWNLOAD_TIMEOUT_MS);
    const complete = await leech.event('complete', DOWNLOAD_TIMEOUT_MS);
    assertCopied(image, directory);
    assert.equal(leech.stderr, '');
    t.diagnostic(
      `first peer ${peer.address} (${peer.direction}) ${peer.ms} ms after the start, complete after ${complete.ms} ms`,
    );
  }
});

test('a network without IPv4: link-local addresses suffice', async (t) => {
  const image = await makeImage(temporaryDirectory(t));
  const [first, second] = makeNetwork(t, 2, 'IPv6');
  assert(first && second);
  // With an address of a site beside them, which of the two meet first is chance: those need no proof of being unique.
  leaveLinkLocal(first);
  leaveLinkLocal(second);
  const { torrent } = image;
  startSwarmProcess(t, first.namespace, {
    ...{ torrent, directory: image.directory, complete: true, localDiscovery: true },
  });
  const directory = temporaryDirectory(t);
  const leech = startSwarmProcess(t, second.namespace, { torrent, directory, localDiscovery: true });
  const peer = await leech.event('peer', DOWNLOAD_TIMEOUT_MS);
  assert.match(String(peer.address), /^\[fe80::[0-9a-f:]+%eth0\]:\d+$/);
  const complete = await leech.event('complete', DOWNLOAD_TIMEOUT_MS);
  assertCopied(image, directory);
  t.diagnostic(`first peer ${peer.address} ${peer.ms} ms after the start, complete after ${complete.ms} ms`);
});

test('A knows B, B knows C, none is on a tracker: A and C meet', async (t) => {
  const image = await makeImage(temporaryDirectory(t));
  const [c, b, a] = makeNetwork(t, 3, 'IPv6');
  assert(a && b && c);
  const { torrent } = image;
  const port = 7001;
  const at = ({ address }: { address: string }) => [{ host: address, port }];
  // So slow that nobody is done, and lets the seed go, before the last one comes.
  const seed = startSwarmProcess(t, c.namespace, {
    ...{ torrent, directory: image.directory, complete: true, port, uploadBytesPerSecond: 100_000 },
  });
  await seed.event('listening', DOWNLOAD_TIMEOUT_MS);
  const leech = (place: { namespace: string }, peers: { host: string; port: number }[]) =>
    startSwarmProcess(t, place.namespace, { torrent, directory: temporaryDirectory(t), port, peers });
  const second = leech(b, at(c));
  await second.event('peer', DOWNLOAD_TIMEOUT_MS);
  const third = leech(a, at(b));
  const met = (): string[] =>
    third.events
      .filter(({ event }) => event === 'peer')
      .map(({ address, ms }) => `${address} after ${ms} ms`);
  const isThere = (): boolean => met().some((text) => text.startsWith(`[${c.address}]:${port} `));
  await until(isThere, DOWNLOAD_TIMEOUT_MS, 'the third met the first');
  t.diagnostic(met().join(', '));
});
