/**
 * One machine of a simulated swarm: the policies of torrent/policy, tied together as torrent/swarm.ts ties them, with the
 * network and clock of this folder instead of sockets and timers. Payload has no content but "good" or "bad".
 */
import { Bitset } from '../../torrent/policy/bitset.ts';
import { Choker } from '../../torrent/policy/choker.ts';
import { claimForWebseed } from '../../torrent/policy/claim.ts';
import { Download } from '../../torrent/policy/download.ts';
import type { DownloadCommand, DownloadEvent } from '../../torrent/policy/download-events.ts';
import { acceptsMore } from '../../torrent/policy/mesh.ts';
import { BLOCK_BYTES, DEFAULT_REQUEST_QUEUE } from '../../torrent/policy/pipeline.ts';
import { Rate } from '../../torrent/policy/rate.ts';
import { SuperSeeding } from '../../torrent/policy/super-seeding.ts';
import { type UploadRequest, type UploadTarget, UploadTurns } from '../../torrent/policy/upload-turns.ts';
import { webseedMayHelp } from '../../torrent/policy/webseed-turn.ts';
import type { EventQueue } from './event-queue.ts';
import { about, bare, block, have, hello, type PeerMessage } from './messages.ts';
import { Flow, Link } from './network.ts';
import type { Random } from './random.ts';
import type { SimulatedWebseed } from './webseed.ts';

/** How a machine behaves towards others: as it should, with wrong bytes, or promising pieces and never sending them. */
export type Conduct = 'honest' | 'liar' | 'mute';

export interface MachineOptions {
  readonly name: number;
  readonly events: EventQueue;
  readonly random: Random;
  readonly pieceCount: number;
  readonly pieceLength: number;
  readonly lengthOf: (piece: number) => number;
  readonly role: 'peer' | 'origin';
  readonly superSeeding: boolean;
  readonly complete: boolean;
  readonly conduct: Conduct;
  readonly upBytesPerSecond: number;
  readonly downBytesPerSecond: number;
  readonly delayMs: number;
  readonly windowBytes: number;
  /** What the kernel takes of each connection before a program sees that it does not drain. */
  readonly socketBytes: number;
  /** Hash and write of a piece. */
  readonly verifyMs: number;
  readonly memoryBytes: number;
  readonly mostPeers: number;
  readonly uploadSlots: number;
  readonly requestTimeoutMs: number;
  readonly webseed: SimulatedWebseed | undefined;
  readonly gained: (machine: Machine, now: number) => void;
  readonly lost: (machine: Machine, other: Machine, reason: string) => void;
}

const FEWEST_BUFFERS = 6;
/** Content: all pieces are alike. Memory that nobody writes to costs nothing. */
const GOOD = new Uint8Array(16 * 2 ** 20);
const BAD = new Uint8Array(8 * BLOCK_BYTES).fill(0xff);
const GOOD_BLOCK = GOOD.subarray(0, BLOCK_BYTES);
const BAD_BLOCK = BAD.subarray(0, BLOCK_BYTES);

/** This machine's end of a connection. */
class Connection implements UploadTarget {
  readonly key: number;
  readonly other: Machine;
  readonly out: Flow;
  joined = false;
  amChoking = true;
  peerInterested = false;
  readonly #socketBytes: number;

  constructor(key: number, other: Machine, out: Flow, socketBytes: number) {
    this.key = key;
    this.other = other;
    this.out = out;
    this.#socketBytes = socketBytes;
  }

  get pendingBytes(): number {
    return Math.max(0, this.out.waitingBytes - this.#socketBytes);
  }
}

export class Machine {
  readonly options: MachineOptions;
  readonly link: Link;
  readonly peerId: Uint8Array;
  readonly download: Download;
  readonly have: Bitset;
  readonly connections = new Map<Machine, Connection>();
  readonly banned = new Set<Machine>();
  /** In ms; undefined: not yet. */
  startedAt: number | undefined;
  finishedAt: number | undefined;
  gone = false;
  /** Block payload given to connections, in bytes. */
  uploaded = 0;
  /** The same by receiver's name. */
  readonly given = new Map<number, number>();
  hashFailures = 0;
  /** Block payload that arrived, in bytes. */
  delivered = 0;
  /** Every flow that ever went out from here. */
  readonly flows: Flow[] = [];
  readonly #byKey = new Map<number, Connection>();
  readonly #choker = new Choker();
  readonly #turns: UploadTurns<Connection>;
  readonly #superSeeding: SuperSeeding | undefined;
  readonly #sendRate: Rate;
  readonly #events: EventQueue;
  /** Pieces with wrong bytes in them. */
  readonly #spoiled = new Map<number, Set<number>>();
  /** Connections to the webseed that are free. */
  #fetches: ReturnType<SimulatedWebseed['connect']>[] | undefined;
  #nextKey = 1;
  #ticks = 0;

  constructor(options: MachineOptions) {
    this.options = options;
    const { events, random, pieceCount, pieceLength } = options;
    this.#events = events;
    this.link = new Link(events, options.upBytesPerSecond, options.downBytesPerSecond);
    this.peerId = Uint8Array.from({ length: 20 }, () => Math.floor(random.next() * 256));
    this.have = options.complete ? Bitset.full(pieceCount) : new Bitset(pieceCount);
    const buffers = Math.max(FEWEST_BUFFERS, Math.floor(options.memoryBytes / pieceLength));
    this.download = new Download({
      pieceCount,
      pieceLength,
      lengthOf: options.lengthOf,
      have: this.have,
      mostActive: Math.ceil(buffers / 2),
      ownPeerId: this.peerId,
      random: random.next,
      requestTimeoutMs: options.requestTimeoutMs,
      startedAt: events.now,
    });
    this.#turns = new UploadTurns({ bytesPerSecond: 0, startedAt: events.now });
    this.#sendRate = new Rate(events.now);
    if (options.superSeeding)
      this.#superSeeding = new SuperSeeding({ pieceCount, pieceLength, random: random.next });
  }

  get name(): number {
    return this.options.name;
  }

  /** Both ends of a new connection; each greets the other. */
  static connect(a: Machine, b: Machine): void {
    a.#open(b, b);
    b.#open(a, a);
    a.#greet(b);
    b.#greet(a);
  }

  /** What the download policy made of what was delivered, in bytes. */
  get accounted(): number {
    const { peers, origin, wasted } = this.download.received;
    return peers + origin + wasted;
  }

  hasRoom(): boolean {
    return acceptsMore({
      connected: this.connections.size,
      maxPeers: this.options.mostPeers,
      complete: this.have.isFull,
    });
  }

  /** Ends a connection; the other side hears of it as soon as the network tells. */
  disconnect(other: Machine, reason: string): void {
    const connection = this.connections.get(other);
    if (!connection) return;
    this.connections.delete(other);
    this.#byKey.delete(connection.key);
    connection.out.close();
    this.#turns.drop(connection);
    this.#choker.forget(connection.key);
    const complete = this.download.peers.get(connection.key)?.pieces.isFull === true;
    this.#superSeeding?.left(connection.key, complete);
    if (connection.joined) this.#apply({ type: 'left', peer: connection.key });
    this.options.lost(this, other, reason);
    const delayMs = connection.out.delayMs;
    if (!this.link.cut) {
      this.#events.after(delayMs, { fire: () => other.disconnect(this, 'closed-by-peer') });
    }
  }

  /** The power cord: nobody is told. */
  vanish(): void {
    this.gone = true;
    this.link.cut = true;
  }

  tick(): void {
    this.#apply({ type: 'tick' });
    this.#askWebseed();
    this.#reveal();
    if (++this.#ticks % 4 === 0) this.#dealSlots();
  }

  #open(other: Machine, receiver: Machine): void {
    const { delayMs, windowBytes, socketBytes } = this.options;
    const connection = new Connection(
      this.#nextKey++,
      other,
      new Flow({
        from: this.link,
        to: receiver.link,
        delayMs: delayMs + other.options.delayMs,
        windowBytes,
        receive: (message) => receiver.#receive(this, message as PeerMessage),
        drained: () => this.#serve(),
      }),
      socketBytes,
    );
    this.connections.set(other, connection);
    this.flows.push(connection.out);
    this.#byKey.set(connection.key, connection);
  }

  #greet(other: Machine): void {
    const connection = this.connections.get(other)!;
    const { role, pieceCount, conduct } = this.options;
    const real = this.#superSeeding ? new Bitset(pieceCount) : this.have;
    const shown =
      conduct === 'honest' ? Bitset.fromBitfield(pieceCount, real.bytes)! : Bitset.full(pieceCount);
    connection.out.write(hello(this.peerId, role === 'origin', shown));
  }

  #receive(from: Machine, message: PeerMessage): void {
    const connection = this.connections.get(from);
    if (!connection || this.gone) return;
    const peer = connection.key;
    switch (message.kind) {
      case 'hello': {
        connection.joined = true;
        const { peerId, origin, pieces } = message;
        this.#apply({ type: 'joined', peer, id: peerId, fast: true });
        this.#apply({
          type: 'described',
          peer,
          origin,
          requestQueue: DEFAULT_REQUEST_QUEUE * 4,
          longestRequest: 8 * BLOCK_BYTES,
        });
        if (pieces.count > 0) this.#apply({ type: 'pieces', peer, pieces });
        this.#superSeeding?.joined(peer, this.#events.now);
        this.#reveal();
        break;
      }
      case 'have':
        this.#apply({ type: 'have', peer, piece: message.piece });
        this.#reveal();
        break;
      case 'choke':
      case 'unchoke':
        this.#apply({ type: message.kind === 'choke' ? 'choked' : 'unchoked', peer });
        break;
      case 'interested':
      case 'uninterested':
        connection.peerInterested = message.kind === 'interested';
        this.#dealSlots();
        break;
      case 'request':
        this.#requested(connection, message.request);
        break;
      case 'cancel':
        if (this.#turns.cancel(connection, message.request))
          connection.out.write(about('reject', message.request));
        break;
      case 'reject':
        this.#apply({ type: 'rejected', peer, ...message.request });
        break;
      case 'block':
        this.#received(connection, message);
    }
  }

  #requested(connection: Connection, request: UploadRequest): void {
    if (this.options.conduct === 'mute') return;
    this.#superSeeding?.asked(connection.key, this.#events.now);
    if (this.options.conduct === 'honest' && !this.have.has(request.piece)) {
      connection.out.write(about('reject', request));
      return;
    }
    this.#turns.push(connection, request);
    this.#serve();
  }

  #serve(): void {
    while (this.#turns.waiting > 0) {
      const turn = this.#turns.next(this.#events.now, () => true);
      if (turn.do !== 'send') return;
      const { target, request } = turn;
      this.uploaded += request.length;
      this.#sendRate.add(request.length, this.#events.now);
      const { name } = target.other;
      this.given.set(name, (this.given.get(name) ?? 0) + request.length);
      target.out.write(block(request, this.options.conduct === 'liar'));
    }
  }

  #reveal(): void {
    if (!this.#superSeeding) return;
    const { now } = this.#events;
    const input = {
      peers: this.download.peers,
      copies: (piece: number) => this.download.copies(piece),
      bytesPerSecond: this.#sendRate.bytesPerSecond(now),
    };
    for (const { peer, piece } of this.#superSeeding.decide(input, now))
      this.#byKey.get(peer)?.out.write(have(piece));
  }

  #received(connection: Connection, message: Extract<PeerMessage, { kind: 'block' }>): void {
    const { piece, begin, length } = message.request;
    this.delivered += length;
    const { key: peer } = connection;
    if (message.bad && this.download.standing(peer, piece, begin, length) === 'needed') {
      const spoiled = this.#spoiled.get(piece) ?? new Set();
      this.#spoiled.set(piece, spoiled.add(begin));
    }
    const whole = message.bad ? BAD_BLOCK : GOOD_BLOCK;
    const bytes = length === BLOCK_BYTES ? whole : (message.bad ? BAD : GOOD).subarray(0, length);
    this.#apply({ type: 'block', peer, piece, begin, bytes });
  }

  #apply(event: DownloadEvent): void {
    if (this.gone) return;
    for (const command of this.download.apply(event, this.#events.now)) this.#execute(command);
  }

  #execute(command: DownloadCommand): void {
    switch (command.do) {
      case 'verify':
        this.#events.after(this.options.verifyMs, { fire: () => this.#verified(command.piece) });
        return;
      case 'release':
        this.#spoiled.delete(command.piece);
        return;
      case 'drop': {
        const connection = this.#byKey.get(command.peer);
        if (!connection) return;
        if (command.ban) this.banned.add(connection.other);
        this.disconnect(connection.other, command.reason);
        return;
      }
      case 'interest':
        this.#byKey.get(command.peer)?.out.write(bare(command.interested ? 'interested' : 'uninterested'));
        return;
      default:
        this.#byKey.get(command.peer)?.out.write(about(command.do, command));
    }
  }

  /** As torrent/swarm/webseeds.ts does: two pieces at a time. */
  #askWebseed(): void {
    const { webseed, lengthOf, verifyMs } = this.options;
    if (!webseed || this.gone) return;
    this.#fetches ??= [webseed.connect(this.link), webseed.connect(this.link)];
    while (this.#fetches.length > 0 && this.#webseedMayHelp()) {
      const piece = claimForWebseed(this.download, this.#events.now);
      if (piece < 0) return;
      const fetch = this.#fetches.pop()!;
      fetch(lengthOf(piece), () => {
        this.#fetches?.push(fetch);
        this.#events.after(verifyMs, { fire: () => this.#verified(piece) });
        this.#askWebseed();
      });
    }
  }

  #webseedMayHelp(): boolean {
    const { now } = this.#events;
    return webseedMayHelp({
      startedAt: this.startedAt ?? now,
      now,
      connectedPeers: this.connections.size,
      hasSource: this.download.hasSource,
      peersExpected: true,
      lastBlockAt: this.download.lastBlockAt,
      bytesPerSecond: this.download.peersBytesPerSecond(now),
    });
  }

  #verified(piece: number): void {
    if (this.gone || !this.download.active.has(piece)) return;
    const spoiled = this.#spoiled.get(piece);
    const length = this.options.lengthOf(piece);
    if (spoiled) {
      this.hashFailures++;
      const bytes = GOOD.slice(0, length);
      for (const begin of spoiled) bytes.fill(0xff, begin, begin + BLOCK_BYTES);
      this.#apply({ type: 'refuted', piece, bytes });
      return;
    }
    const message = have(piece);
    for (const connection of this.connections.values()) connection.out.write(message);
    this.#apply({ type: 'verified', piece, bytes: GOOD.subarray(0, length) });
    this.options.gained(this, this.#events.now);
  }

  #dealSlots(): void {
    const { now } = this.#events;
    const { uploadSlots: slots, random } = this.options;
    const peers = [...this.connections.values()].map(({ key, peerInterested, amChoking }) => ({
      key,
      interested: peerInterested,
      unchoked: !amChoking,
      bytesPerSecond: this.download.peers.get(key)?.rate.bytesPerSecond(now) ?? 0,
    }));
    const input = { seeding: this.have.isFull, slots, random: random.next };
    const { choke, unchoke } = this.#choker.decide(peers, input, now);
    for (const key of choke) {
      const connection = this.#byKey.get(key)!;
      connection.amChoking = true;
      this.#turns.drop(connection);
      connection.out.write(bare('choke'));
    }
    for (const key of unchoke) {
      const connection = this.#byKey.get(key)!;
      connection.amChoking = false;
      connection.out.write(bare('unchoke'));
    }
  }
}
