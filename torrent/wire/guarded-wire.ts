/**
 * bittorrent-protocol's Wire with a guard in front of it and without its streams: messages go in one by one, checked,
 * and what it sends goes to an outbox. It keeps the protocol's state (handshake, choke, interest, fast and extension
 * protocol); it never sees payload lengths, indexes or dictionaries that were not validated.
 *
 * Private names of the package are overridden on purpose; its version is pinned and the tests probe every one.
 */
import Wire, { type WireRequest } from 'bittorrent-protocol';
import { MessageBudget } from '../policy/message-budget.ts';
import {
  type PeerDescription,
  parseExtendedHandshake,
  QUICK_EXCHANGE,
  REQUEST_QUEUE,
} from './extended-handshake.ts';
import { MESSAGE, refuseContent, type TorrentShape } from './message-rules.ts';
import { MetadataGuard } from './metadata-guard.ts';

/** Requests waiting here beyond what we told the peer to send at most (`reqq`). */
const MOST_PEER_REQUESTS = 2 * REQUEST_QUEUE;
const MOST_EXTENDED_HANDSHAKES = 16;
/** BEP 3 has one, at the begin; aria2 sends a new one now and then instead of twenty haves. */
const MOST_BITFIELDS = 1024;
/** Ids of extended messages that come to us, as our handshake tells them. bittorrent-protocol counts its own from 1. */
const METADATA_EXTENSION_ID = 1;
const EXCHANGE_EXTENSION_ID = 2;
const QUICK_EXCHANGE_EXTENSION_ID = 3;

export interface GuardedWireOptions {
  readonly direction: 'tcpOutgoing' | 'tcpIncoming';
  /** undefined while the metainfo is not known (magnet start). */
  readonly shape: TorrentShape | undefined;
  /** Length of the info dictionary that is served; 0: none. */
  readonly metadataBytes: number;
  readonly now: () => number;
  readonly send: (bytes: Uint8Array) => void;
  /** For what is in no hurry: with the next bytes that are. */
  readonly sendLater: (bytes: Uint8Array) => void;
  readonly described: (description: PeerDescription) => void;
  /** A message of peer exchange, without its ids. The reason why the peer must go, or undefined. */
  readonly exchanged?: (payload: Buffer) => string | undefined;
}

export class GuardedWire extends Wire {
  readonly metadataGuard: MetadataGuard;
  readonly #budget: MessageBudget;
  readonly #options: GuardedWireOptions;
  /** Bitfield, have-all and have-none messages so far. */
  #bitfields = 0;
  #extendedHandshakes = 0;
  #ended = false;

  constructor(options: GuardedWireOptions) {
    super(options.direction);
    this.#options = options;
    this.metadataGuard = new MetadataGuard(options.metadataBytes);
    this.#budget = new MessageBudget(options.now());
  }

  /** Says in the extended handshake that we want to be told of peers. After ut_metadata was taken into use. */
  offerPeerExchange(): void {
    this.extendedMapping[EXCHANGE_EXTENSION_ID] = 'ut_pex';
    this.extendedMapping[QUICK_EXCHANGE_EXTENSION_ID] = QUICK_EXCHANGE;
  }

  /** One message of the right length for its id. The reason why the peer must go, or undefined. */
  receive(message: Buffer): string | undefined {
    const id = message[0]!;
    const refusal = refuseContent(message, this.#options.shape) ?? this.#refuseOutOfTurn(id);
    if (refusal) return refusal;
    if (!this.#budget.spend(this.#costOf(id, message), this.#options.now())) return 'message-flood';
    try {
      if (id === MESSAGE.extended) return this.#receiveExtended(message);
      if (id in KNOWN_IDS) this._onMessage(message);
    } catch {
      return 'protocol-exception';
    }
    return undefined;
  }

  /** 67 bytes behind the first. */
  receiveHandshake(bytes: Buffer): string | undefined {
    try {
      this._onHandshakeBuffer(bytes);
    } catch {
      return 'protocol-exception';
    }
    return undefined;
  }

  /** As `receive`, for the message of no bytes. */
  receiveKeepAlive(): string | undefined {
    return this.#budget.spend(1, this.#options.now()) ? undefined : 'message-flood';
  }

  /** What the peer owes us, in bytes. */
  get requestedBytes(): number {
    let sum = 0;
    for (const { length } of this.requests) sum += length;
    return sum;
  }

  /** A block that was asked for has arrived. */
  receivePiece(piece: number, begin: number, length: number): void {
    this.#budget.payload(length);
    // As `_onPiece` does, without its meters and events.
    this._pull(this.requests, piece, begin, length);
  }

  /**
   * Answers a handshake. bittorrent-protocol would send the extended handshake at once, but BEP 3 and 6 want bitfield,
   * have-all or have-none first; `greetWithPieces` sends that in between.
   */
  greet(infohash: Uint8Array, peerId: Uint8Array): void {
    this._extendedHandshakeSent = true;
    this.handshake(infohash, peerId, { fast: true });
    this._extendedHandshakeSent = false;
  }

  /** Sends a block that the peer waits for. False if it does not wait for it any more. */
  answer(piece: number, begin: number, block: Uint8Array): boolean {
    if (!this._pull(this.peerRequests, piece, begin, block.length)) return false;
    // As `piece` does, without its meters, and as a Buffer, which a socket takes as it is.
    const header = Buffer.allocUnsafe(13);
    header.writeUInt32BE(9 + block.length, 0);
    header[4] = MESSAGE.piece;
    header.writeUInt32BE(piece, 5);
    header.writeUInt32BE(begin, 9);
    this._push(header);
    this._push(block);
    this.#budget.payload(block.length);
    return true;
  }

  override have(piece: number): void {
    this.#budget.pieceKnown();
    super.have(piece);
  }

  /** The same, with whatever goes out next. */
  haveLater(piece: number): void {
    this.#budget.pieceKnown();
    const message = Buffer.allocUnsafe(9);
    message.writeUInt32BE(5, 0);
    message[4] = MESSAGE.have;
    message.writeUInt32BE(piece, 5);
    if (!this.#ended) this.#options.sendLater(message);
  }

  /** Takes a request off the list; peers with the fast extension are told (BEP 6). */
  refuseRequest(piece: number, begin: number, length: number): void {
    // If that was too much, the next message ends the connection.
    this.#budget.spend(1, this.#options.now());
    if (this.hasFast) this.reject(piece, begin, length);
    else this._pull(this.peerRequests, piece, begin, length);
  }

  /** Nothing is sent or received from here on. */
  end(): this {
    this.#ended = true;
    this.setKeepAlive(false);
    return this;
  }

  override _push(bytes: Uint8Array): boolean {
    if (!this.#ended) this.#options.send(bytes);
    return true;
  }

  /** The original formats its arguments even while nobody listens. */
  override _debug(): void {}

  /** The original moves the last request into the gap, so that answers in order are searched for ever farther behind. */
  override _pull(requests: WireRequest[], piece: number, begin: number, length: number): WireRequest | null {
    const index = requests.findIndex(
      (request) => request.piece === piece && request.offset === begin && request.length === length,
    );
    if (index < 0) return null;
    if (index === 0) return requests.shift()!;
    return requests.splice(index, 1)[0]!;
  }

  /** What a message costs the sender: about what it makes us do, unless it is a useful one. */
  #costOf(id: number, message: Buffer): number {
    switch (id) {
      case MESSAGE.have:
        if (!this.#options.shape || this.peerPieces.get(message.readUInt32BE(1))) return 1;
        this.#budget.pieceKnown();
        return 0;
      case MESSAGE.request:
        return this.amChoking ? 1 : 0;
      case MESSAGE.choke:
      case MESSAGE.unchoke:
        // All plans with the peer are made anew.
        return 8;
      case MESSAGE.interested:
      case MESSAGE.uninterested:
      case MESSAGE.cancel:
      case MESSAGE.bitfield:
      case MESSAGE.haveAll:
      case MESSAGE.haveNone:
        return 2;
      default:
        return 1 + Math.floor(message.length / 1024);
    }
  }

  #refuseOutOfTurn(id: number): string | undefined {
    switch (id) {
      case MESSAGE.haveAll:
      case MESSAGE.haveNone:
        if (!this.hasFast) return 'fast-not-agreed';
        return ++this.#bitfields > MOST_BITFIELDS ? 'bitfield-flood' : undefined;
      case MESSAGE.bitfield:
        return ++this.#bitfields > MOST_BITFIELDS ? 'bitfield-flood' : undefined;
      case MESSAGE.suggest:
      case MESSAGE.reject:
      case MESSAGE.allowedFast:
        return this.hasFast ? undefined : 'fast-not-agreed';
      case MESSAGE.request:
        return this.peerRequests.length >= MOST_PEER_REQUESTS ? 'request-flood' : undefined;
      default:
        return undefined;
    }
  }

  #receiveExtended(message: Buffer): string | undefined {
    const id = message[1]!;
    if (id === 0) {
      if (++this.#extendedHandshakes > MOST_EXTENDED_HANDSHAKES) return 'extended-flood';
      const description = parseExtendedHandshake(message.subarray(2));
      if (!description) return 'bad-extended-handshake';
      this._onMessage(Buffer.concat([message.subarray(0, 2), description.clean]));
      this.#options.described(description);
      return undefined;
    }
    if (id === EXCHANGE_EXTENSION_ID || id === QUICK_EXCHANGE_EXTENSION_ID) {
      return this.extendedMapping[id] === undefined
        ? undefined
        : this.#options.exchanged?.(message.subarray(2));
    }
    if (id !== METADATA_EXTENSION_ID) return undefined;
    if (!this.peerExtendedMapping.ut_metadata) return 'metadata-before-handshake';
    const verdict = this.metadataGuard.judge(message.subarray(2));
    if (verdict === 'ignore') return undefined;
    if (verdict !== 'pass') return verdict;
    this._onMessage(message);
    return undefined;
  }
}

const KNOWN_IDS: Readonly<Record<number, true>> = Object.fromEntries(
  Object.values(MESSAGE)
    .filter((id) => id !== MESSAGE.piece && id !== MESSAGE.extended)
    .map((id) => [id, true]),
);
