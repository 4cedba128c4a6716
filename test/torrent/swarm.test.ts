/** Whole swarms in one process on loopback: every byte is compared. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  type Content,
  emptyStore,
  endpointOf,
  eventOf,
  frame,
  makeContent,
  RawPeer,
  seedStore,
  startSwarm,
  until,
  words,
} from './swarm-fixtures.ts';

let content: Content;
before(async () => {
  content = await makeContent();
});
const deadline = (): AbortSignal => AbortSignal.timeout(30_000);

test('one seed, three leeches: everyone ends with every byte, each written once', async (t) => {
  const { metainfo } = content;
  const seed = await startSwarm(t, {
    metainfo,
    store: seedStore(content),
    complete: true,
    role: 'origin',
    uploadBytesPerSecond: 4e6,
  });
  const stores = [0, 1, 2].map(() => emptyStore(content));
  const leeches = [];
  const known = [endpointOf(seed)];
  for (const store of stores) {
    const leech = await startSwarm(t, { metainfo, store, peers: [...known] });
    known.push(endpointOf(leech));
    leeches.push(leech);
  }
  await Promise.all(leeches.map((leech) => leech.complete(deadline())));
  for (const store of stores) {
    assert.ok(store.bytes.equals(content.bytes));
    assert.equal(store.writes.length, metainfo.pieceCount);
  }
  const stats = leeches.map((leech) => leech.stats());
  for (const { bytes, totalBytes, pieces, downloaded, hashFailures } of stats) {
    assert.equal(bytes, metainfo.payloadLength);
    assert.equal(totalBytes, metainfo.payloadLength);
    assert.equal(pieces, metainfo.pieceCount);
    assert.equal(downloaded.peers + downloaded.seeder, metainfo.totalLength);
    assert.equal(hashFailures, 0);
  }
  const fromSeeder = stats.reduce((sum, { downloaded }) => sum + downloaded.seeder, 0);
  const fromPeers = stats.reduce((sum, { downloaded }) => sum + downloaded.peers, 0);
  assert.ok(fromPeers > fromSeeder / 2, `peers gave each other ${fromPeers}, the origin ${fromSeeder}`);
  assert.ok(seed.stats().uploaded >= metainfo.totalLength);
});

test('the seeder dies half-way while a peer has the rest', async (t) => {
  const { metainfo } = content;
  const seed = await startSwarm(t, {
    metainfo,
    store: seedStore(content),
    complete: true,
    uploadBytesPerSecond: 2e6,
  });
  const other = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, peers: [endpointOf(seed)] });
  await until(() => leech.stats().pieces >= 5, 'five pieces are here');
  await seed.close();
  const { pieces } = leech.stats();
  assert.ok(pieces < metainfo.pieceCount, 'the seeder was killed before the end');
  leech.addPeers([endpointOf(other)]);
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(content.bytes));
});

test('a peer that closes in the middle of a block is asked elsewhere', async (t) => {
  const { metainfo, bytes } = content;
  let cut = 0;
  const truncating = await RawPeer.listen(t, (peer) => {
    peer.on('handshake', () => {
      peer.handshake(metainfo.wireInfohash);
      peer.write(frame(14), frame(1));
    });
    peer.on('message', ({ id, body }) => {
      if (id !== 6 || cut > 0) return;
      cut++;
      const start = body.readUInt32BE(0) * metainfo.pieceLength + body.readUInt32BE(4);
      const whole = frame(7, Buffer.concat([body.subarray(0, 8), bytes.subarray(start, start + 16384)]));
      peer.socket.end(whole.subarray(0, 9000));
    });
  });
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, peers: [truncating] });
  await eventOf(leech, 'peer-closed');
  assert.equal(cut, 1);
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  leech.addPeers([endpointOf(seed)]);
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(content.bytes));
  assert.equal(leech.stats().hashFailures, 0);
});

test('a peer that stops answering is relieved of its blocks', async (t) => {
  const { metainfo } = content;
  let asked = 0;
  const silent = await RawPeer.listen(t, (peer) => {
    peer.serve(content, () => {
      asked++;
      return undefined;
    });
  });
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, peers: [silent] }, { requestTimeoutMs: 300 });
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  await until(() => asked > 0, 'the silent peer was asked');
  leech.addPeers([endpointOf(seed)]);
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(content.bytes));
});

test('a peer that rejects everything is not asked in a hot loop', async (t) => {
  const { metainfo } = content;
  let asked = 0;
  const rejecting = await RawPeer.listen(t, (peer) => {
    peer.on('handshake', () => {
      peer.handshake(metainfo.wireInfohash);
      peer.write(frame(14), frame(1));
    });
    peer.on('message', ({ id, body }) => {
      if (id !== 6) return;
      asked++;
      peer.write(frame(16, body));
    });
  });
  const leech = await startSwarm(t, { metainfo, store: emptyStore(content), peers: [rejecting] });
  await until(() => asked > 0, 'something was asked');
  await new Promise((resolve) => setTimeout(resolve, 700));
  const blocks = Math.ceil(metainfo.totalLength / 16384);
  assert.ok(asked <= 2 * blocks, `${asked} requests for ${blocks} blocks`);
  assert.equal(leech.stats().pieces, 0);
});

test('two that dial each other keep one connection, and none with themselves', async (t) => {
  const { metainfo } = content;
  const seed = await startSwarm(t, {
    metainfo,
    store: seedStore(content),
    complete: true,
    uploadBytesPerSecond: 1e5,
  });
  const leech = await startSwarm(t, { metainfo, store: emptyStore(content) });
  const reasons: string[] = [];
  for (const swarm of [seed, leech]) swarm.on('peer-closed', ({ reason }) => reasons.push(reason));
  const everyone = [endpointOf(seed), endpointOf(leech)];
  seed.addPeers(everyone);
  leech.addPeers(everyone);
  await until(() => reasons.includes('self'), 'a connection to itself was noticed');
  await until(() => seed.stats().peers === 1 && leech.stats().peers === 1, 'one connection');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(seed.stats().peers, 1);
  assert.equal(leech.stats().peers, 1);
});

test('a second address of a peer that is here is dialed once, and our own never again', async (t) => {
  const { metainfo } = content;
  const host = '0.0.0.0';
  const seed = await startSwarm(t, {
    metainfo,
    store: seedStore(content),
    complete: true,
    uploadBytesPerSecond: 1e5,
    host,
  });
  const leech = await startSwarm(t, { metainfo, store: emptyStore(content), host });
  const ended: string[] = [];
  leech.on('peer-closed', ({ address, reason }) => ended.push(`${address} ${reason}`));
  leech.addPeers([endpointOf(seed)]);
  await until(() => leech.stats().peers === 1, 'a connection');
  leech.addPeers([
    { host: '127.0.0.2', port: seed.port },
    { host: '127.0.0.3', port: leech.port },
  ]);
  const times = (text: string): number => ended.filter((line) => line === text).length;
  await until(() => times(`127.0.0.2:${seed.port} duplicate`) > 0, 'the second address was dialed');
  await until(() => times(`127.0.0.3:${leech.port} self`) > 0, 'the own address was dialed');
  // After a failure it would be dialed again within 1.5 s.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(ended.length, 3, ended.join(', '));
  assert.equal(leech.stats().peers, 1);
});

test('the upload limit holds', async (t) => {
  const { metainfo } = content;
  const seed = await startSwarm(t, {
    metainfo,
    store: seedStore(content),
    complete: true,
    uploadBytesPerSecond: 500_000,
  });
  const leech = await startSwarm(t, { metainfo, store: emptyStore(content), peers: [endpointOf(seed)] });
  await eventOf(leech, 'piece');
  const from = { at: performance.now(), bytes: seed.stats().uploaded };
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const rate = ((seed.stats().uploaded - from.bytes) * 1000) / (performance.now() - from.at);
  assert.ok(rate < 700_000, `${rate} bytes per second`);
  assert.ok(rate > 100_000, `${rate} bytes per second`);
});

test('a request for a piece that is not here is rejected', async (t) => {
  const { metainfo } = content;
  const leech = await startSwarm(t, { metainfo, store: emptyStore(content) });
  const peer = RawPeer.dial(t, leech);
  peer.handshake(metainfo.wireInfohash);
  peer.write(frame(15), frame(2));
  await peer.message(1);
  peer.write(frame(6, words(3, 0, 16384)));
  const { body } = await peer.message(16);
  assert.deepEqual([...body], [...words(3, 0, 16384)]);
});

test('complete rejects when the swarm is closed or the signal says so', async (t) => {
  const { metainfo } = content;
  const leech = await startSwarm(t, { metainfo, store: emptyStore(content) });
  await assert.rejects(leech.complete(AbortSignal.timeout(20)), { name: 'TimeoutError' });
  const waiting = leech.complete();
  await leech.close();
  await assert.rejects(waiting, /closed before the download was complete/);
});

test('a store that keeps failing ends the download with its error', async (t) => {
  const { metainfo } = content;
  const store = emptyStore(content);
  store.write = async () => {
    throw new Error('no space left');
  };
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  const leech = await startSwarm(t, { metainfo, store, peers: [endpointOf(seed)] });
  await assert.rejects(leech.complete(deadline()), /no space left/);
});

test('memory for pieces is bounded by its limit', async (t) => {
  const big = await makeContent(64 * 65_536);
  const seed = await startSwarm(t, { metainfo: big.metainfo, store: seedStore(big), complete: true });
  const store = emptyStore(big);
  const leech = await startSwarm(t, {
    metainfo: big.metainfo,
    store,
    peers: [endpointOf(seed)],
    memoryLimitBytes: 1,
  });
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(big.bytes));
});

test('a port that is taken is an error that names it', async (t) => {
  const { metainfo } = content;
  const first = await startSwarm(t, { metainfo, store: emptyStore(content) });
  const { Swarm } = await import('../../torrent/swarm.ts');
  await assert.rejects(
    Swarm.start({ metainfo, store: emptyStore(content), listen: { host: '127.0.0.1', port: first.port } }),
    /Cannot listen for peers on 127\.0\.0\.1 port \d+: EADDRINUSE/,
  );
});
