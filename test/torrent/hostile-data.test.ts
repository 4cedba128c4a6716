/** Wrong bytes from peers: found by their hash, never stored, and whoever sent them is banned. */
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

const altered = (block: Buffer): Buffer => {
  block[100]! ^= 1;
  return block;
};

test('an altered piece bans the peer that sent it, and the download completes', async (t) => {
  const { metainfo } = content;
  let sent = 0;
  const liar = await RawPeer.listen(t, (peer) =>
    peer.serve(content, (block) => {
      sent++;
      return altered(block);
    }),
  );
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, peers: [liar] });
  const failures: { sources: readonly string[] }[] = [];
  leech.on('hash-failure', (failure) => failures.push(failure));
  const banned = await eventOf<{ peer: string; reason: string }>(leech, 'banned');
  assert.ok(sent > 0);
  assert.equal(banned.peer, `127.0.0.1:${liar.port}`);
  assert.equal(banned.reason, 'bad-data');
  assert.deepEqual(failures[0]?.sources, [`127.0.0.1:${liar.port}`]);
  assert.deepEqual(store.writes, [], 'nothing bad was stored');
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  leech.addPeers([endpointOf(seed), liar]);
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(content.bytes));
  assert.equal(leech.stats().bannedPeers, 1);
});

test('a banned peer cannot come back under its id', async (t) => {
  const { metainfo } = content;
  let peerId: Buffer | undefined;
  const liar = await RawPeer.listen(t, (peer) => {
    peerId = peer.peerId;
    peer.serve(content, altered);
  });
  const leech = await startSwarm(t, { metainfo, store: emptyStore(content), peers: [liar] });
  await eventOf(leech, 'banned');
  const closed = eventOf<{ reason: string }>(leech, 'peer-closed');
  const again = RawPeer.dial(t, leech);
  again.write(
    Buffer.from('\x13BitTorrent protocol', 'latin1'),
    Buffer.alloc(8),
    metainfo.wireInfohash,
    peerId!,
  );
  assert.equal((await closed).reason, 'banned');
});

test('of several sources of a bad piece, the one that lied is found and the others stay', async (t) => {
  // One piece of many blocks: the peers share it.
  const one = await makeContent(32 * 16_384, 32 * 16_384);
  const { metainfo } = one;
  let lies = 0;
  const slow = (make: (block: Buffer) => Buffer) => (peer: RawPeer) => {
    peer.on('handshake', () => {
      peer.handshake(metainfo.wireInfohash);
      peer.write(frame(14), frame(1));
    });
    peer.on('message', ({ id, body }) => {
      if (id !== 6) return;
      const [piece, begin, length] = [body.readUInt32BE(0), body.readUInt32BE(4), body.readUInt32BE(8)];
      const start = piece * metainfo.pieceLength + begin;
      const block = make(Buffer.from(one.bytes.subarray(start, start + length)));
      // In order, with a pause after each block, so that endgame mixes the two.
      peer.queue = (peer.queue ?? Promise.resolve()).then(async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        peer.write(frame(7, Buffer.concat([words(piece, begin), block])));
      });
    });
  };
  const liar = await RawPeer.listen(
    t,
    slow((block) => {
      lies++;
      return altered(block);
    }),
  );
  const honest = await RawPeer.listen(
    t,
    slow((block) => block),
  );
  const store = emptyStore(one);
  const leech = await startSwarm(t, { metainfo, store, peers: [liar, honest] });
  const banned: string[] = [];
  const failures: (readonly string[])[] = [];
  leech.on('banned', ({ peer }) => banned.push(peer));
  leech.on('hash-failure', ({ sources }) => failures.push(sources));
  await leech.complete(deadline());
  assert.ok(lies > 0);
  assert.ok(failures.length > 0, 'a hash failed');
  assert.ok(store.bytes.equals(one.bytes));
  await until(() => banned.length > 0, 'somebody was banned');
  assert.deepEqual(banned, [`127.0.0.1:${liar.port}`]);
});

test('late and duplicate blocks never change what was verified', async (t) => {
  const { metainfo, bytes } = content;
  const store = emptyStore(content);
  // Sends each block properly, and once more, altered, right behind it.
  let duplicates = 0;
  const doubling = await RawPeer.listen(t, (peer) => {
    peer.serve(content);
    peer.on('message', ({ id, body }) => {
      if (id !== 6) return;
      duplicates++;
      const [piece, begin, length] = [body.readUInt32BE(0), body.readUInt32BE(4), body.readUInt32BE(8)];
      const start = piece * metainfo.pieceLength + begin;
      const block = altered(Buffer.from(bytes.subarray(start, start + length)));
      peer.write(frame(7, Buffer.concat([words(piece, begin), block])));
    });
  });
  const leech = await startSwarm(t, { metainfo, store, peers: [doubling] });
  const closed = await eventOf<{ reason: string }>(leech, 'peer-closed');
  assert.ok(duplicates > 0);
  assert.equal(closed.reason, 'unrequested-block');
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  leech.addPeers([endpointOf(seed)]);
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(content.bytes));
});

test('peers that promise everything and give nothing are let go, and the download completes', async (t) => {
  const { metainfo } = content;
  let rejected = 0;
  let ignored = 0;
  const refuser = await RawPeer.listen(t, (peer) => {
    peer.serve(content, () => undefined);
    peer.on('message', ({ id, body }) => {
      if (id !== 6) return;
      rejected++;
      peer.write(frame(16, body));
    });
  });
  const mute = await RawPeer.listen(t, (peer) =>
    peer.serve(content, () => {
      ignored++;
      return undefined;
    }),
  );
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, peers: [refuser, mute] }, { requestTimeoutMs: 500 });
  const reasons: string[] = [];
  leech.on('peer-closed', ({ reason }) => reasons.push(reason));
  await until(() => reasons.includes('unresponsive'), 'the mute one is let go', 30_000);
  await until(() => reasons.includes('refuses-everything'), 'the refusing one too', 30_000);
  assert.ok(rejected >= 256 && ignored > 0, `${rejected} rejected, ${ignored} ignored`);
  assert.equal(leech.stats().pieces, 0);
  const seed = await startSwarm(t, { metainfo, store: seedStore(content), complete: true });
  leech.addPeers([endpointOf(seed)]);
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(content.bytes));
});

test('a peer that claims nearly everything does not keep an origin from showing its pieces', async (t) => {
  const big = await makeContent(60 * 16_384, 16_384);
  const { metainfo } = big;
  const origin = await startSwarm(t, {
    ...{ metainfo, store: seedStore(big), complete: true, role: 'origin' },
  });
  const boasters = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const boaster = RawPeer.dial(t, origin);
      const all = Buffer.alloc(Math.ceil(metainfo.pieceCount / 8), 0xff);
      // All but the first piece: who has everything is sent away.
      all[0] = 0x7f;
      const spare = metainfo.pieceCount % 8;
      if (spare > 0) all[all.length - 1] = (0xff << (8 - spare)) & 0xff;
      boaster.handshake(metainfo.wireInfohash);
      boaster.write(frame(5, all));
      await boaster.message(20);
      return boaster;
    }),
  );
  const store = emptyStore(big);
  const leech = await startSwarm(t, { metainfo, store, peers: [endpointOf(origin)] });
  await leech.complete(deadline());
  assert.ok(store.bytes.equals(big.bytes));
  assert.ok(
    boasters.every((boaster) => !boaster.isClosed),
    'they boasted all the time',
  );
});
