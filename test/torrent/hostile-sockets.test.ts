/** Attacks with what lies below the messages: sockets that are not read, that trickle, and that are too many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
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

const BLOCK = 16_384;

test('peers that ask for a block of every piece and read nothing do not hold the memory of a seed', async (t) => {
  // Big pieces in little memory: the seed has six buffers.
  const content = await makeContent(40 * 2 ** 20, 2 ** 20);
  const { metainfo } = content;
  const seed = await startSwarm(
    t,
    { metainfo, store: seedStore(content), complete: true, memoryLimitBytes: 2 ** 20 },
    { writeTimeoutMs: 60_000 },
  );
  const deaf = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const peer = RawPeer.dial(t, seed);
      peer.handshake(metainfo.wireInfohash);
      peer.write(frame(15), frame(2));
      await peer.message(1);
      peer.socket.pause();
      const requests: Buffer[] = [];
      for (let block = 0; block < 48; block++)
        for (let piece = 2; piece < 40; piece++) requests.push(frame(6, words(piece, block * BLOCK, BLOCK)));
      peer.write(...requests);
      return peer;
    }),
  );
  // Their sockets are full: nothing goes out any more.
  let before = -1;
  await until(() => {
    const stands = before === seed.stats().uploaded && before > 0;
    before = seed.stats().uploaded;
    return stands;
  }, 'the deaf peers are full');
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo, store, peers: [endpointOf(seed)] });
  await leech.complete(AbortSignal.timeout(20_000));
  assert.ok(store.bytes.equals(content.bytes));
  assert.ok(
    deaf.every((peer) => !peer.isClosed),
    'they were there all the time',
  );
});

test('a peer that does not read what it asked for is dropped, also if it goes on sending', async (t) => {
  const content = await makeContent(20 * 2 ** 20, 2 ** 20);
  const { metainfo } = content;
  const seed = await startSwarm(
    t,
    { metainfo, store: seedStore(content), complete: true },
    { writeTimeoutMs: 1500 },
  );
  const closed = eventOf<{ reason: string }>(seed, 'peer-closed', undefined, 30_000);
  const peer = RawPeer.dial(t, seed);
  peer.handshake(metainfo.wireInfohash);
  peer.write(frame(15), frame(2));
  await peer.message(1);
  peer.socket.pause();
  for (let piece = 2; piece < 20; piece++)
    for (let block = 0; block < 48; block++) peer.write(frame(6, words(piece, block * BLOCK, BLOCK)));
  const alive = setInterval(() => peer.write(Buffer.alloc(4)), 100);
  t.after(() => clearInterval(alive));
  assert.equal((await closed).reason, 'does-not-read');
});
