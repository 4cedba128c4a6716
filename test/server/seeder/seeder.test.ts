import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Failure } from '../../../server/failure.ts';
import { directorySegments, openSegmentStore, parseMetainfo, Swarm } from '../../../torrent/index.ts';
import { payload } from '../published-image.ts';
import { startServer, statusOf } from '../running-server.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('a peer gets the whole release from the seeder, and the server counts it', async () => {
  const { url } = await startServer();
  const metainfo = parseMetainfo(
    Buffer.from(await (await fetch(`${url}/images/lab/image.torrent`)).arrayBuffer()),
  );
  const target = join(temporaryFolder('leech'), 'files');
  mkdirSync(target);
  const store = await openSegmentStore(directorySegments(metainfo, target), 'write');
  const swarm = await Swarm.start({ metainfo, store, peers: metainfo.explicitPeers });
  after(() => swarm.close());
  await swarm.complete(AbortSignal.timeout(30_000));
  const { downloaded } = swarm.stats();
  // Zeros between the files (BEP 47) travel too.
  assert.ok(downloaded.seeder >= metainfo.payloadLength, 'it says that it is the origin');
  assert.deepEqual([downloaded.peers, downloaded.webseed], [0, 0]);
  const { server } = await statusOf(url);
  assert.ok(server.seederBytes >= metainfo.payloadLength);
  assert.equal(server.payloadBytes, server.seederBytes + server.webseedBytes);
  await swarm.close();
  await store.close();
  assert.ok(readFileSync(join(target, 'root.squashfs')).equals(payload.root));
});

test('a taken port is told in a sentence with the option that helps', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  after(() => other.close());
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const taken = (option: string) => (error: unknown) =>
    error instanceof Failure && error.code === 'port-in-use' && error.message.includes(option);
  await assert.rejects(startServer({ seederPort: port }), taken('--seeder-port'));
  await assert.rejects(startServer({ httpPort: port }), taken('--http-port'));
});
