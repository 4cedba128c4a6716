/** Every hostile input of a peer's wire: the process lives, the peer is dropped, and the reason is the expected one. */
import assert from 'node:assert/strict';
import { before, type TestContext, test } from 'node:test';
import type { Swarm } from '../../torrent/swarm.ts';
import {
  type Content,
  emptyStore,
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

const pieces = (): number => content.metainfo.pieceCount;
const fullBitfield = (): Buffer => {
  const bits = Buffer.alloc(Math.ceil(pieces() / 8), 0xff);
  if (pieces() % 8 !== 0) bits[bits.length - 1] = (0xff << (8 - (pieces() % 8))) & 0xff;
  return bits;
};
const extended = (id: number, payload: string): Buffer =>
  frame(20, Buffer.concat([Buffer.from([id]), Buffer.from(payload, 'latin1')]));

interface Attack {
  readonly name: string;
  readonly reason: string;
  /** Instead of a proper handshake. */
  readonly raw?: () => Buffer;
  readonly fast?: boolean;
  readonly bytes?: () => Buffer[];
  /** The victim has everything; default: nothing. */
  readonly seed?: boolean;
  readonly unchokedFirst?: boolean;
}

const prefix = (length: number, ...rest: number[]): Buffer =>
  Buffer.concat([words(length), Buffer.from(rest)]);

const ATTACKS: readonly Attack[] = [
  { name: 'another protocol', reason: 'not-bittorrent', raw: () => Buffer.from('GET / HTTP/1.1\r\n\r\n') },
  {
    name: 'protocol name wrong at its end',
    reason: 'not-bittorrent',
    raw: () => Buffer.from('\x13BitTorrent protocoX', 'latin1'),
  },
  {
    name: 'handshake of another torrent',
    reason: 'other-torrent',
    raw: () =>
      Buffer.concat([Buffer.from('\x13BitTorrent protocol', 'latin1'), Buffer.alloc(8), Buffer.alloc(40, 7)]),
  },
  { name: 'length prefix of 2 GiB, unknown id', reason: 'too-long', bytes: () => [prefix(0x8000_0000, 99)] },
  {
    name: 'length prefix of 4 GiB on an extended message',
    reason: 'too-long',
    bytes: () => [prefix(0xffff_ffff, 20)],
  },
  { name: 'length prefix of 2 GiB on a piece', reason: 'too-long', bytes: () => [prefix(0x7fff_ffff, 7)] },
  { name: 'a have of 6 bytes', reason: 'bad-length', bytes: () => [prefix(6, 4)] },
  { name: 'a request of 12 bytes', reason: 'bad-length', bytes: () => [prefix(12, 6)] },
  { name: 'a choke with a body', reason: 'bad-length', bytes: () => [prefix(2, 0)] },
  { name: 'a piece without payload', reason: 'bad-length', bytes: () => [prefix(9, 7)] },
  { name: 'an empty extended message', reason: 'bad-length', bytes: () => [prefix(1, 20)] },
  { name: 'have beyond the last piece', reason: 'bad-index', bytes: () => [frame(4, words(pieces()))] },
  { name: 'have with the highest bit set', reason: 'bad-index', bytes: () => [frame(4, words(0xffff_ffff))] },
  {
    name: 'request beyond the last piece',
    reason: 'bad-index',
    seed: true,
    bytes: () => [frame(6, words(pieces(), 0, 16384))],
  },
  {
    name: 'request beyond the end of a piece',
    reason: 'bad-request',
    seed: true,
    bytes: () => [frame(6, words(0, 60_000, 16384))],
  },
  { name: 'request of no bytes', reason: 'bad-request', seed: true, bytes: () => [frame(6, words(0, 0, 0))] },
  {
    name: 'request of 256 KiB',
    reason: 'bad-request',
    seed: true,
    bytes: () => [frame(6, words(0, 0, 262_144))],
  },
  {
    name: 'request with a negative begin',
    reason: 'bad-request',
    seed: true,
    bytes: () => [frame(6, words(0, 0xffff_c000, 16384))],
  },
  {
    name: 'allowed-fast beyond the last piece',
    reason: 'bad-index',
    bytes: () => [frame(17, words(0x8000_0000))],
  },
  { name: 'a short bitfield', reason: 'bad-length', bytes: () => [frame(5, fullBitfield().subarray(1))] },
  {
    name: 'a long bitfield',
    reason: 'bad-length',
    bytes: () => [frame(5, Buffer.concat([fullBitfield(), Buffer.alloc(1)]))],
  },
  {
    name: 'a bitfield with spare bits',
    reason: 'bad-bitfield',
    bytes: () => [frame(5, Buffer.alloc(fullBitfield().length, 0xff))],
  },
  {
    name: 'an endless row of bitfields',
    reason: 'bitfield-flood',
    bytes: () => Array.from({ length: 1025 }, () => frame(5, fullBitfield())),
  },
  {
    name: 'an endless row of have-all',
    reason: 'bitfield-flood',
    bytes: () => Array.from({ length: 1025 }, () => frame(14)),
  },
  {
    name: 'have-all without the fast extension',
    reason: 'fast-not-agreed',
    fast: false,
    bytes: () => [frame(14)],
  },
  {
    name: 'reject without the fast extension',
    reason: 'fast-not-agreed',
    fast: false,
    bytes: () => [frame(16, words(0, 0, 16384))],
  },
  {
    name: 'a piece that nobody asked for',
    reason: 'unrequested-block',
    bytes: () => [frame(7, Buffer.concat([words(0, 0), Buffer.alloc(16384)]))],
  },
  {
    name: 'a piece beyond the last',
    reason: 'unrequested-block',
    bytes: () => [frame(7, Buffer.concat([words(0xffff_ffff, 0), Buffer.alloc(16384)]))],
  },
  {
    name: 'a piece for a seed',
    reason: 'unrequested-block',
    seed: true,
    bytes: () => [frame(7, Buffer.concat([words(0, 0), Buffer.alloc(16384)]))],
  },
  {
    name: 'extended handshake with a negative string length',
    reason: 'bad-extended-handshake',
    bytes: () => [extended(0, 'l-3:')],
  },
  {
    name: 'extended handshake that is no dictionary',
    reason: 'bad-extended-handshake',
    bytes: () => [extended(0, 'i1e')],
  },
  {
    name: 'extended handshake with bytes behind it',
    reason: 'bad-extended-handshake',
    bytes: () => [extended(0, 'dei1e')],
  },
  {
    name: 'extended handshake nested 10,000 deep',
    reason: 'bad-extended-handshake',
    bytes: () => [extended(0, 'l'.repeat(10_000) + 'e'.repeat(10_000))],
  },
  {
    name: 'm value with a toString key',
    reason: 'bad-extended-handshake',
    bytes: () => [extended(0, 'd1:md11:ut_metadatad8:toStringi1eeee')],
  },
  {
    name: 'm value out of range',
    reason: 'bad-extended-handshake',
    bytes: () => [extended(0, 'd1:md11:ut_metadatai70000eee')],
  },
  {
    name: 'ut_metadata before the extended handshake',
    reason: 'metadata-before-handshake',
    bytes: () => [extended(1, 'd8:msg_typei0e5:piecei0ee')],
  },
  ...(
    [
      ['request of a metadata piece out of range', 'd8:msg_typei0e5:piecei999ee', 'bad-metadata-message'],
      ['request of a negative metadata piece', 'd8:msg_typei0e5:piecei-1ee', 'bad-metadata-message'],
      [
        'metadata that nobody asked for',
        'd8:msg_typei1e5:piecei0e10:total_sizei4eeabcd',
        'unrequested-metadata',
      ],
      ['metadata message without a piece', 'd8:msg_typei0ee', 'bad-metadata-message'],
      ['metadata message that is no dictionary', 'le', 'bad-metadata-message'],
      ['metadata message with a lying end', 'd8:msg_typei0e5:piecei0e1:x3:eeee', 'bad-metadata-message'],
    ] as const
  ).map(([name, message, reason]) => ({
    name,
    reason,
    seed: true,
    bytes: () => [extended(0, 'd1:md11:ut_metadatai1eee'), extended(1, message)],
  })),
  {
    name: 'metadata requested over and over',
    reason: 'metadata-flood',
    seed: true,
    bytes: () => [
      extended(0, 'd1:md11:ut_metadatai1eee'),
      ...Array.from({ length: 50 }, () => extended(1, 'd8:msg_typei0e5:piecei0ee')),
    ],
  },
  {
    name: 'an endless row of extended handshakes',
    reason: 'extended-flood',
    bytes: () => Array.from({ length: 40 }, () => extended(0, 'de')),
  },
];

async function attack(t: TestContext, swarm: Swarm, what: Attack): Promise<void> {
  const closed = eventOf<{ reason: string }>(swarm, 'peer-closed');
  const peer = RawPeer.dial(t, swarm);
  if (what.raw) peer.write(what.raw());
  else {
    peer.handshake(content.metainfo.wireInfohash, { fast: what.fast ?? true });
    peer.write(...what.bytes!());
  }
  assert.equal((await closed).reason, what.reason);
  await until(() => peer.isClosed, 'the socket is closed');
}

/** The victim still works: another peer gets through a handshake and a request. */
async function stillServes(t: TestContext, swarm: Swarm): Promise<void> {
  const peer = RawPeer.dial(t, swarm);
  peer.handshake(content.metainfo.wireInfohash);
  peer.write(frame(15), frame(2));
  await peer.message(1);
  peer.write(frame(6, words(3, 0, 16384)));
  const { body } = await peer.message(7);
  assert.deepEqual(
    body.subarray(8),
    content.bytes.subarray(3 * content.metainfo.pieceLength).subarray(0, 16384),
  );
}

test('a seed survives each attack and goes on serving', async (t) => {
  const swarm = await startSwarm(t, {
    metainfo: content.metainfo,
    store: seedStore(content),
    complete: true,
  });
  for (const what of ATTACKS.filter(({ seed }) => seed)) {
    await t.test(what.name, (inner) => attack(inner, swarm, what));
  }
  await stillServes(t, swarm);
});

test('a leecher survives each attack and stores nothing', async (t) => {
  const store = emptyStore(content);
  const swarm = await startSwarm(t, { metainfo: content.metainfo, store });
  for (const what of ATTACKS.filter(({ seed }) => !seed)) {
    await t.test(what.name, (inner) => attack(inner, swarm, what));
  }
  assert.deepEqual(store.writes, []);
  assert.equal(swarm.stats().peers, 0);
});

test('a declared length of 2 GiB takes no memory', async (t) => {
  const swarm = await startSwarm(t, { metainfo: content.metainfo, store: emptyStore(content) });
  const before = process.memoryUsage();
  for (let round = 0; round < 20; round++) {
    const closed = eventOf<{ reason: string }>(swarm, 'peer-closed');
    const peer = RawPeer.dial(t, swarm);
    peer.handshake(content.metainfo.wireInfohash);
    peer.write(prefix(0x7fff_ffff, 20), Buffer.alloc(60_000));
    assert.equal((await closed).reason, 'too-long');
  }
  const after = process.memoryUsage();
  assert.ok(after.rss - before.rss < 200 * 2 ** 20, `RSS grew by ${after.rss - before.rss} bytes`);
});

test('a hundred thousand requests in the queue end the connection', async (t) => {
  const swarm = await startSwarm(t, {
    metainfo: content.metainfo,
    store: seedStore(content),
    complete: true,
    uploadBytesPerSecond: 1000,
  });
  const closed = eventOf<{ reason: string }>(swarm, 'peer-closed');
  const peer = RawPeer.dial(t, swarm);
  peer.handshake(content.metainfo.wireInfohash);
  peer.write(frame(15), frame(2));
  await peer.message(1);
  const request = frame(6, words(0, 0, 16384));
  peer.write(Buffer.concat(Array.from({ length: 100_000 }, () => request)));
  assert.equal((await closed).reason, 'request-flood');
});

test('a connection without a handshake is closed in time', async (t) => {
  const swarm = await startSwarm(
    t,
    { metainfo: content.metainfo, store: emptyStore(content) },
    { handshakeTimeoutMs: 100 },
  );
  const closed = eventOf<{ reason: string }>(swarm, 'peer-closed');
  const peer = RawPeer.dial(t, swarm);
  peer.write(Buffer.from('\x13BitTorrent', 'latin1'));
  assert.equal((await closed).reason, 'handshake-timeout');
});

test('a peer that says nothing for too long is closed', async (t) => {
  const swarm = await startSwarm(
    t,
    { metainfo: content.metainfo, store: emptyStore(content) },
    { idleTimeoutMs: 300 },
  );
  const closed = eventOf<{ reason: string }>(swarm, 'peer-closed');
  RawPeer.dial(t, swarm).handshake(content.metainfo.wireInfohash);
  assert.equal((await closed).reason, 'idle');
});

test('strangers cannot use up the connections', async (t) => {
  const swarm = await startSwarm(t, {
    metainfo: content.metainfo,
    store: seedStore(content),
    complete: true,
    maxPeers: 2,
  });
  const crowd = Array.from({ length: 60 }, () => RawPeer.dial(t, swarm));
  await until(() => crowd.filter((peer) => peer.isClosed).length >= 60 - 18, 'the surplus is refused');
  for (const peer of crowd) peer.socket.destroy();
  await until(() => crowd.every((peer) => peer.isClosed), 'the crowd is gone');
  await stillServes(t, swarm);
});
