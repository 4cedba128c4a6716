/** Webseeds (BEP 19): used when peers do not deliver, through the same check as peers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { before, type TestContext, test } from 'node:test';
import {
  type Content,
  emptyStore,
  endpointOf,
  makeContent,
  seedStore,
  startSwarm,
  until,
} from './swarm-fixtures.ts';

let content: Content;
before(async () => {
  content = await makeContent(10 * 65_536 + 77);
});

interface Served {
  readonly url: string;
  requests: number;
}

/** Serves the files below `/content/` with ranges; `change` may alter what goes out. */
async function webseed(
  t: TestContext,
  change: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<Served> {
  const served = { url: '', requests: 0 };
  const server: Server = createServer((request, response) => {
    served.requests++;
    const name = (request.url ?? '').split('/').pop();
    const file = content.metainfo.files.find(({ path }) => path === name);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!file || !range) {
      response.writeHead(404).end();
      return;
    }
    const [from, to] = [Number(range[1]), Number(range[2])];
    const body = change(Buffer.from(content.bytes.subarray(file.offset + from, file.offset + to + 1)));
    response.writeHead(206, {
      'content-range': `bytes ${from}-${to}/${file.length}`,
      'content-length': body.length,
    });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  served.url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  return served;
}

const altered = (bytes: Buffer): Buffer => {
  bytes[0]! ^= 0xff;
  return bytes;
};

test('a webseed alone is enough', async (t) => {
  const { metainfo } = content;
  const served = await webseed(t);
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, webseeds: [served.url] });
  await leech.complete(AbortSignal.timeout(20_000));
  assert.ok(store.bytes.equals(content.bytes));
  assert.equal(leech.stats().downloaded.webseed, metainfo.totalLength);
  assert.equal(leech.stats().downloaded.peers, 0);
});

test('an altered webseed is found out, left alone after two bad pieces, and peers finish', async (t) => {
  const { metainfo } = content;
  const served = await webseed(t, altered);
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, webseeds: [served.url] });
  const warnings: string[] = [];
  let failures = 0;
  leech.on('warning', ({ code }) => warnings.push(code));
  leech.on('hash-failure', ({ sources }) => {
    failures++;
    assert.deepEqual(sources, [served.url]);
  });
  await until(() => warnings.includes('webseed-dropped'), 'the webseed is dropped', 15_000);
  assert.ok(failures >= 2);
  assert.deepEqual(store.writes, []);
  const before = served.requests;
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  leech.addPeers([endpointOf(seed)]);
  await leech.complete(AbortSignal.timeout(20_000));
  assert.ok(store.bytes.equals(content.bytes));
  assert.equal(served.requests, before, 'a dropped webseed is not asked again');
});

test('peers that deliver are preferred to the webseed', async (t) => {
  const { metainfo } = content;
  const served = await webseed(t);
  const seed = await startSwarm(t, {
    metainfo,
    store: seedStore(content),
    complete: true,
    uploadBytesPerSecond: 1e6,
  });
  const leech = await startSwarm(t, {
    metainfo,
    store: emptyStore(content),
    webseeds: [served.url],
    peers: [endpointOf(seed)],
  });
  await leech.complete(AbortSignal.timeout(20_000));
  assert.equal(served.requests, 0);
  assert.equal(leech.stats().downloaded.peers, metainfo.totalLength);
});

test('a webseed that is not there does not stop the peers, and says so', async (t) => {
  const { metainfo } = content;
  const leech = await startSwarm(t, {
    metainfo,
    store: emptyStore(content),
    webseeds: ['http://127.0.0.1:1/'],
  });
  const warnings: string[] = [];
  leech.on('warning', ({ code }) => warnings.push(code));
  await until(() => warnings.includes('webseed-failed'), 'the failure is told');
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  leech.addPeers([endpointOf(seed)]);
  await leech.complete(AbortSignal.timeout(20_000));
});
