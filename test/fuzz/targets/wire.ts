/**
 * Two peers at one machine, as wire-lab.ts puts them together. The input is a row of operations:
 *
 *   [what: 3 bits, peer: 1 bit, chunking: 4 bits] [length] [that many bytes]
 *
 * raw bytes; a framed message; a right, wrong or half answer to a request of ours; time; farewell. Properties: nothing
 * throws; what is stored is right; what is sent is well-formed; no payload lands that was not asked for.
 */
import assert from 'node:assert/strict';
import { frame, words } from '../../torrent/swarm-fixtures.ts';
import type { Target } from '../target.ts';

import { BLOCK, CONTENT, INFOHASH, Lab, lengthOf, messagesIn, PIECE, PIECES } from './wire-lab.ts';

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
