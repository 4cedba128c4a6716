/**
 * Floods: messages that are each allowed and together bring nothing. The sender is dropped for it, and those who are
 * busy in earnest are not.
 */
import assert from 'node:assert/strict';
import { before, type TestContext, test } from 'node:test';
import type { Swarm } from '../../torrent/swarm.ts';
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
  words,
} from './swarm-fixtures.ts';

/** A flood that nobody ends goes on for so long. */
const FLOOD_MS = 20_000;

let content: Content;
before(async () => {
  content = await makeContent();
});

const extended = (id: number, payload: Buffer): Buffer =>
  frame(20, Buffer.concat([Buffer.from([id]), payload]));
const request = (piece: number): Buffer => frame(6, words(piece, 0, 16384));
const cancel = (piece: number): Buffer => frame(8, words(piece, 0, 16384));

interface Flood {
  readonly name: string;
  /** Sent over and over. */
  readonly round: () => Buffer;
  /** The victim has everything; default: nothing. */
  readonly seed?: boolean;
  /** The flood begins when the victim has unchoked us. */
  readonly unchokedFirst?: boolean;
  readonly fast?: boolean;
}

const FLOODS: readonly Flood[] = [
  { name: 'keep-alives', round: () => Buffer.alloc(4) },
  { name: 'the same have', round: () => frame(4, words(1)) },
  { name: 'choke and unchoke', round: () => Buffer.concat([frame(0), frame(1)]) },
  {
    name: 'choke and unchoke without the fast extension',
    fast: false,
    round: () => Buffer.concat([frame(0), frame(1)]),
  },
  { name: 'interested and uninterested', seed: true, round: () => Buffer.concat([frame(2), frame(3)]) },
  { name: 'requests while choked', seed: true, round: () => request(0) },
  { name: 'requests for what the victim does not have', unchokedFirst: true, round: () => request(3) },
  {
    name: 'request and cancel',
    seed: true,
    unchokedFirst: true,
    round: () => Buffer.concat([0, 1, 2, 3, 4, 5, 6, 7].flatMap((piece) => [request(piece), cancel(piece)])),
  },
  { name: 'cancels of nothing', seed: true, round: () => cancel(0) },
  { name: 'rejects of nothing', round: () => frame(16, words(0, 0, 16384)) },
  { name: 'allowed-fast', round: () => frame(17, words(1)) },
  { name: 'suggestions', round: () => frame(13, words(1)) },
  { name: 'DHT ports', round: () => frame(9, Buffer.from([1, 2])) },
  { name: 'messages of no known kind', round: () => frame(99) },
  { name: 'long messages of no known kind', round: () => frame(99, Buffer.alloc(60_000)) },
  { name: 'extended messages of no known kind', round: () => extended(77, Buffer.from('de')) },
  { name: 'long extended messages of no known kind', round: () => extended(77, Buffer.alloc(30_000)) },
];

/** Writes `round` until the socket is closed, as fast as the victim takes it. Returns how many rounds the kernel took. */
async function pour(peer: RawPeer, round: Buffer): Promise<number> {
  const together = Math.max(1, Math.ceil(65_536 / round.length));
  const batch = Buffer.concat(Array.from({ length: together }, () => round));
  const closed = new Promise<false>((resolve) => peer.once('closed', () => resolve(false)));
  let rounds = 0;
  const deadline = performance.now() + FLOOD_MS;
  while (!peer.isClosed && performance.now() < deadline) {
    const taken = new Promise<boolean>((resolve) => peer.socket.write(batch, (error) => resolve(!error)));
    if (!(await Promise.race([taken, closed]))) break;
    rounds += together;
  }
  return rounds;
}

async function flood(t: TestContext, swarm: Swarm, what: Flood): Promise<void> {
  const closed = eventOf<{ reason: string }>(swarm, 'peer-closed', undefined, 30_000);
  const peer = RawPeer.dial(t, swarm);
  peer.handshake(content.metainfo.wireInfohash, { fast: what.fast ?? true });
  if (what.unchokedFirst) {
    peer.write(frame(15), frame(2));
    await peer.message(1);
  }
  const rounds = await pour(peer, what.round());
  assert.equal((await closed).reason, 'message-flood');
  assert.ok(rounds > 10, `only ${rounds} rounds went out`);
}

test('a seed ends each flood and goes on serving', async (t) => {
  const swarm = await startSwarm(t, {
    metainfo: content.metainfo,
    store: seedStore(content),
    complete: true,
  });
  for (const what of FLOODS.filter(({ seed }) => seed)) {
    await t.test(what.name, (inner) => flood(inner, swarm, what));
  }
  const store = emptyStore(content);
  const leech = await startSwarm(t, { metainfo: content.metainfo, store, peers: [endpointOf(swarm)] });
  await leech.complete(AbortSignal.timeout(30_000));
  assert.ok(store.bytes.equals(content.bytes));
});

test('a leecher ends each flood and completes', async (t) => {
  const store = emptyStore(content);
  const swarm = await startSwarm(t, { metainfo: content.metainfo, store });
  for (const what of FLOODS.filter(({ seed }) => !seed)) {
    await t.test(what.name, (inner) => flood(inner, swarm, what));
  }
  assert.equal(swarm.stats().peers, 0);
  const seed = await startSwarm(t, { metainfo: content.metainfo, store: seedStore(content), complete: true });
  swarm.addPeers([endpointOf(seed)]);
  await swarm.complete(AbortSignal.timeout(30_000));
  assert.ok(store.bytes.equals(content.bytes));
});
