/**
 * One machine that has half of a torrent, and two peers at it: framer, message rules, guarded wire, landing, download policy,
 * uploads, as the swarm ties them together, without sockets and clock.
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
import { Random } from '../random.ts';

export const PIECE = 32_768;
export const BLOCK = 16_384;
const LENGTH = 7 * PIECE + 1000;
export const PIECES = 8;
export const INFOHASH = Buffer.alloc(20, 1);
export const CONTENT = Buffer.alloc(LENGTH);
for (let at = 0, noise = new Random(1); at < LENGTH; at++) CONTENT[at] = noise.below(256);
export const lengthOf = (piece: number): number => Math.min(PIECE, LENGTH - piece * PIECE);
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
export function messagesIn(bytes: Buffer): Buffer[] {
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

export class Lab {
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
