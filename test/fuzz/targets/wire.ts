/**
 * Two peers at one machine that has half of a torrent: framer, message rules, guarded wire, landing, download policy, uploads,
 * as the swarm ties them together, without sockets and clock. The input is a row of operations:
 *
 *   [what: 3 bits, peer: 1 bit, chunking: 4 bits] [length] [that many bytes]
 *
 * raw bytes; a framed message; a right, wrong or half answer to a request of ours; time; farewell. Properties: nothing
 * throws; what is stored is right; what is sent is well-formed; no payload lands that was not asked for.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { parsePeerExchange } from '../../../torrent/discovery/peer-exchange-message.ts';
import { Bitset } from '../../../torrent/policy/bitset.ts';
import { Download } from '../../../torrent/policy/download.ts';
import type { DownloadEvent } from '../../../torrent/policy/download-events.ts';
import { Landing } from '../../../torrent/swarm/landing.ts';
import { reportToDownload } from '../../../torrent/swarm/peer-events.ts';
import { Seeding } from '../../../torrent/swarm/seeding.ts';
import { describeSelf } from '../../../torrent/wire/extended-handshake.ts';
import { refuseLength } from '../../../torrent/wire/message-rules.ts';
import { metadataExtension } from '../../../torrent/wire/metadata-extension.ts';
import { PeerConnection } from '../../../torrent/wire/peer-connection.ts';
import { PieceBuffers } from '../../../torrent/wire/piece-buffers.ts';
import { frame, words } from '../../torrent/swarm-fixtures.ts';
import { Random } from '../random.ts';
import type { Target } from '../target.ts';

const PIECE = 32_768;
const BLOCK = 16_384;
const LENGTH = 7 * PIECE + 1000;
const PIECES = 8;
const INFOHASH = Buffer.alloc(20, 1);
const CONTENT = Buffer.alloc(LENGTH);
for (let at = 0, noise = new Random(1); at < LENGTH; at++) CONTENT[at] = noise.below(256);
const lengthOf = (piece: number): number => Math.min(PIECE, LENGTH - piece * PIECE);
const shape = { pieceCount: PIECES, pieceLength: PIECE, lengthOf, payloadOf: lengthOf };

class QuietSocket extends EventEmitter {
  writableLength = 0;
  destroyed = false;
  readonly sent: Buffer[] = [];
  setNoDelay(): void {}
  cork(): void {}
  uncork(): void {}
  write(bytes: Uint8Array, done?: () => void): boolean {
    this.sent.push(Buffer.from(bytes));
    done?.();
    return true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

interface Request {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

/** Splits what was sent after the handshake into messages; throws where it is not BitTorrent. */
function messagesIn(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  if (bytes.length === 0) return messages;
  assert.equal(bytes.toString('latin1', 0, 20), '\x13BitTorrent protocol');
  for (let at = 68; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    assert.ok(at + 4 + length <= bytes.length, 'whole messages only');
    if (length > 0) {
      const message = bytes.subarray(at + 4, at + 4 + length);
      assert.equal(
        refuseLength(message[0]!, length, PIECES),
        undefined,
        `we sent a message ${message[0]} of ${length} bytes`,
      );
      messages.push(message);
    }
    at += 4 + length;
  }
  return messages;
}

class Lab {
  now = 0;
  readonly have = new Bitset(PIECES);
  readonly download: Download;
  readonly landing: Landing;
  readonly seeding: Seeding;
  readonly peers = new Map<number, PeerConnection>();
  readonly sockets: QuietSocket[] = [];
  readonly reasons: string[] = [];
  readonly stored = Buffer.alloc(LENGTH);
  /** Verdicts are given a moment later, as the hashing thread does. */
  readonly sealed: number[] = [];

  constructor(incoming: boolean) {
    for (const piece of [0, 3, 5]) this.have.add(piece);
    for (const piece of this.have)
      CONTENT.copy(this.stored, piece * PIECE, piece * PIECE, piece * PIECE + lengthOf(piece));
    this.download = new Download({
      ...{ pieceCount: PIECES, pieceLength: PIECE, lengthOf, have: this.have, mostActive: 4 },
      ...{ ownPeerId: Buffer.alloc(20, 9), random: () => 0.5, requestTimeoutMs: 8000, startedAt: 0 },
    });
    this.landing = new Landing(this.download, new PieceBuffers(PIECE, 4), shape);
    this.seeding = new Seeding({
      ...{ shape, have: this.have, bytesPerSecond: 0, cachedPieces: 3, slots: 2, superSeeding: false },
      read: async (piece, target) => {
        this.stored.copy(target, 0, piece * PIECE, piece * PIECE + target.length);
      },
      now: () => this.now,
      random: () => 0.5,
    });
    for (const key of [0, 1]) this.#connect(key, incoming);
  }

  #connect(key: number, incoming: boolean): void {
    const socket = new QuietSocket();
    this.sockets.push(socket);
    const peer = new PeerConnection({
      ...{
        key,
        direction: incoming ? 'in' : 'out',
        remote: { host: '10.0.0.9', port: 1 + key },
        shape,
        metadataBytes: 40,
      },
      ...{ connectTimeoutMs: 1e6, handshakeTimeoutMs: 1e6, now: () => this.now },
      socket: socket as unknown as Socket,
      handlers: {
        handshake: (_, infohash) => {
          if (infohash !== INFOHASH.toString('hex')) return 'other-torrent';
          if (incoming) peer.wire.greet(INFOHASH, Buffer.alloc(20, 9));
          this.peers.set(key, peer);
          peer.wire.bitfield(this.have.bytes.slice());
          this.apply({ type: 'joined', peer: key, id: Buffer.alloc(20, key), fast: peer.wire.hasFast });
          reportToDownload(peer, PIECES, (event) => this.apply(event));
          this.seeding.serve(peer, () => this.#dealSlots());
          return undefined;
        },
        described: (_, { origin, longestRequest, requestQueue = 250 }) =>
          this.apply({ type: 'described', peer: key, origin, requestQueue, longestRequest }),
        exchanged: (_, payload) => {
          const message = parsePeerExchange(payload);
          return typeof message === 'string' ? message : undefined;
        },
        land: (_, piece, begin, length) => {
          const place = this.landing.land(peer, piece, begin, length);
          if (place) assert.ok(!this.have.has(piece) || place.buffer !== this.stored.buffer);
          return place;
        },
        landed: (_, piece, begin, bytes) => {
          const home = this.landing.landed(peer, piece, begin, bytes);
          this.apply({ type: 'block', peer: key, piece, begin, bytes: home });
        },
        drained: () => this.seeding.drained(),
        closed: (_, reason) => {
          this.reasons.push(reason);
          if (!this.peers.delete(key)) return;
          this.landing.leave(peer);
          this.seeding.leave(peer, this.download.peers.get(key)?.pieces.isFull === true);
          this.apply({ type: 'left', peer: key });
        },
      },
    });
    peer.wire.extendedHandshake = describeSelf({ origin: false, listenPort: 1 });
    peer.wire.use(metadataExtension({ serve: Buffer.alloc(40, 6) }));
    peer.wire.offerPeerExchange();
    if (!incoming) {
      socket.emit('connect');
      peer.wire.greet(INFOHASH, Buffer.alloc(20, 9));
    }
    this.all.push(peer);
  }
  readonly all: PeerConnection[] = [];

  #dealSlots(): void {
    this.seeding.dealSlots(this.peers, this.have.isFull, () => 0);
  }

  apply(event: DownloadEvent): void {
    for (const command of this.download.apply(event, this.now)) {
      if (command.do === 'verify') this.sealed.push(command.piece);
      else if (command.do === 'release') this.landing.release(command.piece);
      else if (command.do === 'drop') this.all[command.peer]?.close(command.reason);
      else {
        const wire = this.peers.get(command.peer)?.wire;
        if (command.do === 'request') wire?.request(command.piece, command.begin, command.length);
        else if (command.do === 'cancel') wire?.cancel(command.piece, command.begin, command.length);
        else if (command.interested) wire?.interested();
        else wire?.uninterested();
      }
    }
  }

  /** The checks that are due. */
  verify(): void {
    for (const piece of this.sealed.splice(0)) {
      const bytes = this.landing.bytesOf(piece);
      const right = CONTENT.subarray(piece * PIECE, piece * PIECE + bytes.length).equals(bytes);
      if (right) bytes.copy(this.stored, piece * PIECE);
      for (const { wire } of this.peers.values()) if (right) wire.have(piece);
      this.apply({ type: right ? 'verified' : 'refuted', piece, bytes });
    }
  }

  tick(ms: number): void {
    this.now += ms;
    this.apply({ type: 'tick' });
    this.#dealSlots();
  }

  /** Requests of ours that went to a peer, whatever became of them. */
  requestsTo(peer: number): Request[] {
    return messagesIn(Buffer.concat(this.sockets[peer]!.sent))
      .filter((message) => message[0] === 6)
      .map((message) => ({
        piece: message.readUInt32BE(1),
        begin: message.readUInt32BE(5),
        length: message.readUInt32BE(9),
      }));
  }
}

const handshake = (fast = true): Buffer =>
  Buffer.concat([
    Buffer.from('\x13BitTorrent protocol', 'latin1'),
    Buffer.from([0, 0, 0, 0, 0, 0x10, 0, fast ? 4 : 0]),
    INFOHASH,
    Buffer.alloc(20, 7),
  ]);

const RAW = 0;
const MESSAGE = 1;
const ANSWER = 2;
const WRONG = 3;
const HALF = 4;
const TIME = 5;
const GREET = 6;
const LEAVE = 7;

const op = (what: number, peer: number, body: Uint8Array = Buffer.alloc(0), chunking = 0): Buffer =>
  Buffer.concat([Buffer.from([what | (peer << 3) | (chunking << 4), body.length]), body]);
const message = (peer: number, id: number, body: Uint8Array = Buffer.alloc(0)): Buffer =>
  op(MESSAGE, peer, Buffer.concat([Buffer.from([id]), body]));
const opening = (peer: number): Buffer[] => [
  op(GREET, peer, Buffer.from([4])),
  message(peer, 14),
  message(peer, 1),
];

/** The ops of an input, each with its two bytes in front. */
function opsOf(input: Buffer): Buffer[] {
  const ops: Buffer[] = [];
  for (let at = 0; at + 2 <= input.length; at += 2 + input[at + 1]!)
    ops.push(input.subarray(at, at + 2 + input[at + 1]!));
  return ops;
}

function bytesOf(lab: Lab, what: number, peer: number, body: Buffer): Buffer {
  if (what === RAW) return body;
  if (what === MESSAGE) return body.length === 0 ? Buffer.alloc(4) : frame(body[0]!, body.subarray(1));
  if (what === GREET) return handshake((body[0] ?? 4) !== 0);
  const requests = lab.requestsTo(peer);
  const request = requests[requests.length - 1 - ((body[0] ?? 0) % Math.max(1, requests.length))];
  if (!request) return Buffer.alloc(0);
  const start = request.piece * PIECE + request.begin;
  const block = Buffer.from(CONTENT.subarray(start, start + request.length));
  if (what === WRONG) block[(body[1] ?? 0) % block.length]! ^= 1;
  const whole = frame(7, Buffer.concat([words(request.piece, request.begin), block]));
  return what === HALF ? whole.subarray(0, (body[1] ?? 0) * 64 + 10) : whole;
}

async function play(input: Buffer): Promise<string> {
  const lab = new Lab((input[0] ?? 0) < 128);
  for (const bytes of opsOf(input.subarray(1)).slice(0, 100)) {
    const what = bytes[0]! & 7;
    const peer = (bytes[0]! >> 3) & 1;
    const chunking = bytes[0]! >> 4;
    const connection = lab.all[peer]!;
    const body = bytes.subarray(2);
    if (what === TIME) lab.tick((body[0] ?? 0) * 100);
    else if (what === LEAVE) connection.close('left');
    else {
      const out = bytesOf(lab, what, peer, body);
      const step = chunking === 0 ? Math.max(1, out.length) : Math.max(chunking, out.length >> 4);
      for (let at = 0; at < out.length; at += step) connection.feed(Buffer.from(out.subarray(at, at + step)));
    }
    // Let uploads, flushes and reads happen in between, sometimes.
    if ((bytes[1]! & 1) === 0) await new Promise((resolve) => setImmediate(resolve));
    lab.now += 1;
    lab.verify();
  }
  await new Promise((resolve) => setImmediate(resolve));
  const complete = lab.have.isFull;
  lab.verify();
  for (const peer of lab.all) peer.close('over');
  lab.seeding.close();
  for (const piece of lab.have) {
    const [from, to] = [piece * PIECE, piece * PIECE + lengthOf(piece)];
    assert.ok(
      lab.stored.subarray(from, to).equals(CONTENT.subarray(from, to)),
      `piece ${piece} is stored as it is`,
    );
  }
  assert.ok(lab.download.active.size <= 4, 'pieces in flight are bounded');
  assert.equal(lab.download.peers.size, 0, 'nobody is left behind');
  for (const socket of lab.sockets) {
    const sent = messagesIn(Buffer.concat(socket.sent));
    for (const answer of sent.filter((each) => each[0] === 7)) {
      const start = answer.readUInt32BE(1) * PIECE + answer.readUInt32BE(5);
      assert.ok(
        answer.subarray(9).equals(CONTENT.subarray(start, start + answer.length - 9)),
        'what is sent is right',
      );
    }
  }
  return `${lab.have.count} ${complete} ${lab.reasons.filter((reason) => reason !== 'over').sort()}`;
}

const seed = (...ops: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from([0]), ...ops]);
const answers = (peer: number, what: number, count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => op(what, peer, Buffer.from([index, index])));

export const makeTarget = (): Target => ({
  sources: [
    'torrent/wire/',
    'torrent/policy/',
    'torrent/swarm/landing',
    'torrent/swarm/seeding',
    'torrent/swarm/peer-events',
  ],
  seeds: [
    seed(...opening(0), ...answers(0, ANSWER, 12)),
    seed(
      ...opening(0),
      ...opening(1),
      ...answers(0, WRONG, 4),
      ...answers(1, ANSWER, 8),
      op(TIME, 0, Buffer.from([90])),
    ),
    seed(
      ...opening(0),
      op(HALF, 0, Buffer.from([0, 9])),
      op(LEAVE, 0),
      ...opening(1),
      ...answers(1, ANSWER, 6),
    ),
    seed(
      op(GREET, 0, Buffer.from([0])),
      message(0, 5, Buffer.from([0xff])),
      message(0, 1),
      message(0, 0),
      message(0, 1),
      ...answers(0, ANSWER, 3),
    ),
    seed(
      ...opening(0),
      message(0, 2),
      message(0, 6, words(0, 0, BLOCK)),
      message(0, 6, words(3, BLOCK, BLOCK)),
      message(0, 8, words(3, BLOCK, BLOCK)),
    ),
    seed(
      ...opening(0),
      message(0, 16, words(1, 0, BLOCK)),
      message(0, 17, words(2)),
      message(0, 13, words(2)),
      message(0, 4, words(2)),
      message(0, 15),
    ),
    seed(
      ...opening(0),
      message(0, 20, Buffer.from('\0d1:md11:ut_metadatai1ee10:sb_requesti131072e4:reqqi500ee')),
      message(0, 20, Buffer.from('\x01d8:msg_typei0e5:piecei0ee')),
      op(TIME, 0, Buffer.from([90])),
      ...answers(0, ANSWER, 4),
    ),
    Buffer.concat([
      Buffer.from([200]),
      op(RAW, 0, handshake()),
      message(0, 14),
      message(0, 1),
      op(ANSWER, 0, Buffer.from([0]), 3),
    ]),
  ],
  dictionary: [
    ...opening(0),
    ...opening(1),
    op(ANSWER, 0),
    op(ANSWER, 1),
    op(WRONG, 0),
    op(HALF, 1, Buffer.from([0, 200])),
    op(TIME, 0, Buffer.from([90])),
    op(LEAVE, 1),
    message(0, 0),
    message(1, 1),
    message(0, 2),
  ],
  maxBytes: 1500,
  batch: 48,
  run: play,
  mutate(input, random, corpus) {
    const ops = opsOf(input.subarray(1));
    const others = opsOf(random.of(corpus).subarray(1));
    const times = 1 + random.below(4);
    for (let round = 0; round < times; round++) {
      const at = random.below(ops.length + 1);
      const choice = random.below(6);
      if (choice === 0) ops.splice(at, 1);
      else if (choice === 1 && ops[at]) ops.splice(at, 0, ...Array(1 + random.below(8)).fill(ops[at]));
      else if (choice === 2 && others.length > 0) ops.splice(at, 0, random.of(others));
      else if (choice === 3)
        ops.splice(
          at,
          0,
          op(
            random.below(8),
            random.below(2),
            Buffer.from([random.below(12), random.below(256)]),
            random.below(16),
          ),
        );
      else if (choice === 4)
        ops.splice(at, 0, message(random.below(2), random.of([0, 1, 2, 3, 14, 15]), Buffer.alloc(0)));
      else {
        const body = words(
          random.below(PIECES + 1),
          random.of([0, BLOCK, 1000]),
          random.of([BLOCK, PIECE, 1000]),
        );
        const id = random.of([4, 6, 8, 13, 16, 17]);
        ops.splice(at, 0, message(random.below(2), id, [6, 8, 16].includes(id) ? body : body.subarray(0, 4)));
      }
    }
    return Buffer.concat([input.subarray(0, 1), ...ops]);
  },
});
