/** Probes of every private name of bittorrent-protocol that we use: a new version that changes one must fail here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Wire from 'bittorrent-protocol';
import { GuardedWire } from '../../../torrent/wire/guarded-wire.ts';
import { frame, words } from '../swarm-fixtures.ts';

const INFOHASH = Buffer.alloc(20, 1);
const shape = { pieceCount: 10, lengthOf: () => 65_536 };

function make(direction: 'tcpOutgoing' | 'tcpIncoming' = 'tcpIncoming') {
  const sent: Buffer[] = [];
  const later: Buffer[] = [];
  const wire = new GuardedWire({
    direction,
    shape,
    metadataBytes: 0,
    now: () => 0,
    send: (bytes) => sent.push(Buffer.from(bytes)),
    sendLater: (bytes) => later.push(Buffer.from(bytes)),
    described: () => {},
  });
  return { wire, sent, later, bytes: () => Buffer.concat(sent.splice(0)) };
}

const handshake = (fast = true): Buffer =>
  Buffer.concat([
    Buffer.from('BitTorrent protocol'),
    Buffer.from([0, 0, 0, 0, 0, 0x10, 0, fast ? 4 : 0]),
    INFOHASH,
    Buffer.alloc(20, 2),
  ]);

/** An incoming connection after both handshakes. */
function open(fast = true) {
  const made = make();
  made.wire.on('handshake', () => made.wire.greet(INFOHASH, Buffer.alloc(20, 3)));
  assert.equal(made.wire.receiveHandshake(handshake(fast)), undefined);
  made.bytes();
  return made;
}

test('the version is the one whose private names we know', () => {
  const root = new URL('../../../', import.meta.url);
  const version = (path: string): string => JSON.parse(readFileSync(new URL(path, root), 'utf8')).version;
  assert.equal(version('node_modules/bittorrent-protocol/package.json'), '5.0.9');
  assert.equal(version('node_modules/torrent-piece/package.json'), '4.0.1');
  assert.equal(version('node_modules/ut_metadata/package.json'), '5.0.1');
});

test('the overridden names exist in the original', () => {
  for (const name of ['_push', '_debug', '_pull', '_onMessage', '_onHandshakeBuffer', 'end'] as const) {
    assert.equal(typeof (Wire.prototype as unknown as Record<string, unknown>)[name], 'function', name);
  }
});

test('everything that is sent goes through _push, synchronously', () => {
  const { wire, bytes } = open();
  wire.unchoke();
  wire.interested();
  wire.have(7);
  wire.haveAll();
  wire.keepAlive();
  assert.deepEqual(bytes(), Buffer.concat([frame(1), frame(2), frame(4, words(7)), frame(14), words(0)]));
});

test('bitfield or have-all goes out before the extended handshake, both ways round', () => {
  const incoming = make();
  incoming.wire.on('handshake', () => {
    incoming.wire.greet(INFOHASH, Buffer.alloc(20, 3));
    incoming.wire.haveAll();
  });
  incoming.wire.receiveHandshake(handshake());
  const outgoing = make('tcpOutgoing');
  outgoing.wire.on('handshake', () => outgoing.wire.haveAll());
  outgoing.wire.greet(INFOHASH, Buffer.alloc(20, 3));
  outgoing.wire.receiveHandshake(handshake());
  for (const { bytes } of [incoming, outgoing]) {
    const behind = bytes().subarray(68);
    assert.deepEqual(behind.subarray(0, 5), frame(14));
    assert.equal(behind[9], 20);
  }
});

test('a request is known until its block, a cancel or a reject comes', () => {
  const { wire } = open();
  wire.receive(frame(1).subarray(4));
  for (const begin of [0, 16_384, 32_768]) wire.request(1, begin, 16_384);
  assert.equal(wire.requests.length, 3);
  assert.equal(wire.requestedBytes, 3 * 16_384);
  wire.receivePiece(1, 16_384, 16_384);
  assert.deepEqual(
    wire.requests.map(({ offset }) => offset),
    [0, 32_768],
    'in order: answers are searched from the front',
  );
  wire.cancel(1, 0, 16_384);
  assert.equal(wire.requests.length, 1);
  wire.receive(frame(16, words(1, 32_768, 16_384)).subarray(4));
  assert.equal(wire.requestedBytes, 0);
});

test('a request of a peer waits until it is answered, refused or cancelled', () => {
  const { wire, bytes } = open();
  wire.unchoke();
  bytes();
  for (const begin of [0, 16_384, 32_768]) wire.receive(frame(6, words(1, begin, 16_384)).subarray(4));
  assert.equal(wire.peerRequests.length, 3);
  assert.ok(wire.answer(1, 0, Buffer.alloc(16_384, 8)));
  assert.deepEqual(bytes(), frame(7, Buffer.concat([words(1, 0), Buffer.alloc(16_384, 8)])));
  assert.ok(!wire.answer(1, 0, Buffer.alloc(16_384)), 'once');
  wire.refuseRequest(1, 16_384, 16_384);
  assert.deepEqual(bytes(), frame(16, words(1, 16_384, 16_384)));
  wire.receive(frame(8, words(1, 32_768, 16_384)).subarray(4));
  assert.ok(!wire.answer(1, 32_768, Buffer.alloc(16_384)));
});

test('a choke rejects what waits', () => {
  const { wire, bytes } = open();
  wire.unchoke();
  wire.receive(frame(6, words(1, 0, 16_384)).subarray(4));
  bytes();
  wire.choke();
  assert.deepEqual(bytes(), Buffer.concat([frame(0), frame(16, words(1, 0, 16_384))]));
  assert.equal(wire.peerRequests.length, 0);
});

test('what a listener throws does not get out', () => {
  const { wire } = open();
  wire.on('have', () => {
    throw new Error('oops');
  });
  assert.equal(wire.receive(frame(4, words(1)).subarray(4)), 'protocol-exception');
});

test('after the end nothing is sent', () => {
  const { wire, bytes } = open();
  wire.end();
  wire.have(1);
  wire.destroy();
  assert.equal(bytes().length, 0);
});

test('unknown messages are ignored', () => {
  const { wire } = open();
  for (const id of [10, 21, 22, 23, 255]) assert.equal(wire.receive(Buffer.from([id, 1, 2, 3])), undefined);
});

test('a have that may wait has the bytes of one that may not', () => {
  const { wire, later, bytes } = make();
  wire.have(258);
  wire.haveLater(258);
  assert.deepEqual(Buffer.concat(later), bytes());
});
