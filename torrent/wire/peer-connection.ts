/**
 * One connection to one peer: socket -> framer -> guarded wire, wire -> outbox -> socket. Everything that a stranger can
 * do wrong ends here, with a reason, and nowhere else.
 *
 *   connecting -> shaking hands (deadline) -> open -> closed
 */
import type { Socket } from 'node:net';
import type { Endpoint } from '../endpoint.ts';
import { ReadPace } from '../policy/read-pace.ts';
import type { PeerDescription } from './extended-handshake.ts';
import { Framer } from './framer.ts';
import { GuardedWire } from './guarded-wire.ts';
import type { Feed } from './inlet.ts';
import type { TorrentShape } from './message-rules.ts';
import { Outbox } from './outbox.ts';
import type { UploadRequest, UploadTarget } from './upload-queue.ts';

export interface PeerHandlers {
  /** The peer's handshake is here; ours must go out if it did not yet. Returns why the peer is refused, if it is. */
  handshake(peer: PeerConnection, infohash: string, peerId: string): string | undefined;
  described(peer: PeerConnection, description: PeerDescription): void;
  /** A message of peer exchange (BEP 11). Returns why the peer must go, if it must. */
  exchanged(peer: PeerConnection, payload: Buffer): string | undefined;
  land(peer: PeerConnection, piece: number, begin: number, length: number): Uint8Array | undefined;
  landed(peer: PeerConnection, piece: number, begin: number, bytes: Uint8Array): void;
  drained(peer: PeerConnection): void;
  /** Exactly once. */
  closed(peer: PeerConnection, reason: string): void;
}

export interface PeerConnectionOptions {
  readonly key: number;
  readonly socket: Socket;
  readonly direction: 'in' | 'out';
  /** The remote end of the connection. */
  readonly remote: Endpoint;
  readonly shape: TorrentShape | undefined;
  readonly metadataBytes: number;
  /** For an outgoing connection to be made, in ms; the handshake has its own time after that. */
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly handlers: PeerHandlers;
  readonly now: () => number;
}

/** Answers that the peer does not read pile up here; no honest peer lets it come to this. */
const MOST_PENDING_BYTES = 4 * 2 ** 20;

export class PeerConnection implements UploadTarget {
  readonly key: number;
  readonly direction: 'in' | 'out';
  readonly remote: Endpoint;
  readonly wire: GuardedWire;
  /** Where the peer listens, if that is known: dialed, or told by the peer. */
  listensAt: Endpoint | undefined;
  peerId: string | undefined;
  description: PeerDescription | undefined;
  lastReceivedAt: number;
  /** When the connection was made or begun, in ms. */
  readonly since: number;
  /** When the last block went one way or the other; at first, when the connection was made. */
  usefulAt: number;
  /** Block payload from and to the peer, in bytes. */
  received = 0;
  sent = 0;
  readonly #socket: Socket;
  readonly #framer: Framer;
  readonly #outbox: Outbox;
  readonly #handlers: PeerHandlers;
  readonly #now: () => number;
  #deadline: NodeJS.Timeout | undefined;
  #closed = false;
  #scratch: Buffer | undefined;
  readonly #pace = new ReadPace();

  constructor(options: PeerConnectionOptions) {
    const { socket, handlers } = options;
    this.key = options.key;
    this.direction = options.direction;
    this.remote = options.remote;
    if (options.direction === 'out') this.listensAt = options.remote;
    this.#socket = socket;
    this.#handlers = handlers;
    this.#now = options.now;
    this.since = options.now();
    this.lastReceivedAt = this.since;
    this.usefulAt = this.since;
    this.#outbox = new Outbox(socket, options.now);
    this.wire = new GuardedWire({
      direction: options.direction === 'out' ? 'tcpOutgoing' : 'tcpIncoming',
      shape: options.shape,
      metadataBytes: options.metadataBytes,
      now: options.now,
      send: (bytes) => this.#outbox.push(bytes),
      sendLater: (bytes) => this.#outbox.pushLater(bytes),
      described: (description) => {
        this.description = description;
        handlers.described(this, description);
      },
      exchanged: (payload) => handlers.exchanged(this, payload),
    });
    this.#framer = new Framer(
      {
        handshake: (bytes) => this.#closeIf(this.wire.receiveHandshake(bytes)),
        message: (message) => this.#message(message),
        keepAlive: () => this.#closeIf(this.wire.receiveKeepAlive()),
        land: (piece, begin, length) => handlers.land(this, piece, begin, length),
        landed: (piece, begin, bytes) => this.#landed(piece, begin, bytes),
        refused: (reason) => this.close(reason),
      },
      options.shape?.pieceCount,
    );
    this.wire.on('handshake', (infohash: string, peerId: string) => this.#handshake(infohash, peerId));
    socket.setNoDelay(true);
    socket.on('drain', () => handlers.drained(this));
    socket.on('error', (error: NodeJS.ErrnoException) => this.close(`socket-${error.code ?? 'error'}`));
    socket.on('close', () => this.close('closed-by-peer'));
    const awaitHandshake = (): void => {
      clearTimeout(this.#deadline);
      if (this.#closed) return;
      this.#deadline = setTimeout(() => this.close('handshake-timeout'), options.handshakeTimeoutMs);
    };
    if (options.direction === 'in') awaitHandshake();
    else {
      this.#deadline = setTimeout(() => this.close('connect-timeout'), options.connectTimeoutMs);
      socket.once('connect', awaitHandshake);
    }
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get isOpen(): boolean {
    return this.peerId !== undefined && !this.#closed;
  }

  get pendingBytes(): number {
    return this.#outbox.pendingBytes;
  }

  /** To be called now and then: a peer must take what is sent to it, whatever else it does. */
  closeIfDeaf(writeTimeoutMs: number): void {
    const tooMuch = this.pendingBytes > MOST_PENDING_BYTES;
    if (tooMuch || this.#outbox.stalledMs > writeTimeoutMs) this.close('does-not-read');
  }

  /** Bytes from the socket; they are not kept. Returns when more of them are wanted. */
  feed(chunk: Buffer): ReturnType<Feed> {
    if (this.#closed) return 'now';
    this.lastReceivedAt = this.#now();
    this.#framer.push(chunk);
    const { missingBytes } = this.#framer;
    const read = { bytes: chunk.length, missingBytes, requestedBytes: this.wire.requestedBytes };
    return this.#pace.next(read, this.lastReceivedAt);
  }

  /** Whatever waits to go out goes now. */
  flush(): void {
    if (!this.#closed) this.#outbox.flush();
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#deadline);
    this.#framer.close();
    this.#outbox.flush();
    this.wire.end();
    this.#socket.destroy();
    this.#handlers.closed(this, reason);
  }

  /** Whatever payload is arriving right now no longer belongs where it is being put. */
  divert(): void {
    this.#framer.divert();
  }

  /** Bytes to receive a block into that is not needed. */
  scratch(length: number): Buffer {
    if (!this.#scratch || this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(length);
    return this.#scratch.subarray(0, length);
  }

  sendBlock(request: UploadRequest, bytes: Uint8Array, sent: () => void): void {
    if (this.#closed || !this.wire.answer(request.piece, request.begin, bytes)) {
      sent();
      return;
    }
    this.sent += bytes.length;
    this.usefulAt = this.#now();
    this.#outbox.afterSent(sent);
  }

  refuse({ piece, begin, length }: UploadRequest): void {
    this.wire.refuseRequest(piece, begin, length);
  }

  #handshake(infohash: string, peerId: string): void {
    clearTimeout(this.#deadline);
    const refusal = this.#handlers.handshake(this, infohash, peerId);
    if (refusal === undefined) this.peerId = peerId;
    else this.close(refusal);
  }

  #message(message: Buffer): void {
    const refusal = this.wire.receive(message);
    if (refusal) this.close(refusal);
    else if (this.pendingBytes > MOST_PENDING_BYTES) this.close('does-not-read');
  }

  #landed(piece: number, begin: number, bytes: Uint8Array): void {
    this.received += bytes.length;
    this.usefulAt = this.#now();
    this.wire.receivePiece(piece, begin, bytes.length);
    this.#handlers.landed(this, piece, begin, bytes);
  }

  #closeIf(reason: string | undefined): void {
    if (reason) this.close(reason);
  }
}
