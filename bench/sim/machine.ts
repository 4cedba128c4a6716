/**
 * One machine of a simulated swarm: the policies of torrent/policy, tied together as torrent/swarm.ts ties them, with the
 * network and clock of this folder instead of sockets and timers. Payload has no content but "good" or "bad".
 */
import { Bitset } from '../../torrent/policy/bitset.ts';
import { claimForWebseed } from '../../torrent/policy/claim.ts';
import { Download } from '../../torrent/policy/download.ts';
import type { DownloadCommand, DownloadEvent } from '../../torrent/policy/download-events.ts';
import { memoryBudget } from '../../torrent/policy/memory-budget.ts';
import { acceptsMore } from '../../torrent/policy/mesh.ts';
import { BLOCK_BYTES, DEFAULT_REQUEST_QUEUE } from '../../torrent/policy/pipeline.ts';
import { Connection } from './connection.ts';
import type { EventQueue } from './event-queue.ts';
import { Giving } from './giving.ts';
import type { MachineOptions } from './machine-options.ts';
import { about, bare, have, hello, type PeerMessage } from './messages.ts';
import { Flow, Link } from './network.ts';
import type { SimulatedWebseed } from './webseed.ts';

/** Content: all pieces are alike. Memory that nobody writes to costs nothing. */
const GOOD = new Uint8Array(16 * 2 ** 20);
const BAD = new Uint8Array(8 * BLOCK_BYTES).fill(0xff);
const GOOD_BLOCK = GOOD.subarray(0, BLOCK_BYTES);
const BAD_BLOCK = BAD.subarray(0, BLOCK_BYTES);

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
  readonly giving: Giving;
  hashFailures = 0;
  /** Block payload that arrived, in bytes. */
  delivered = 0;
  /** Every flow that ever went out from here. */
  readonly flows: Flow[] = [];
  readonly #byKey = new Map<number, Connection>();
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
    const memory = memoryBudget(pieceLength, { limitBytes: options.memoryBytes, seeds: options.complete });
    this.download = new Download({
      pieceCount,
      pieceLength,
      lengthOf: options.lengthOf,
      have: this.have,
      mostActive: memory.active,
      ownPeerId: this.peerId,
      random: random.next,
      requestTimeoutMs: options.requestTimeoutMs,
      startedAt: events.now,
    });
    this.giving = new Giving(options, this.have, this.#byKey);
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
    this.giving.left(connection, this.download.peers.get(connection.key)?.pieces.isFull === true);
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
    this.giving.reveal(this.download);
    if (++this.#ticks % 4 === 0) this.giving.dealSlots(this.download);
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
        drained: () => this.giving.serve(),
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
    const real = this.giving.isSuperSeeding ? new Bitset(pieceCount) : this.have;
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
        this.giving.joined(peer);
        this.giving.reveal(this.download);
        break;
      }
      case 'have':
        this.#apply({ type: 'have', peer, piece: message.piece });
        this.giving.reveal(this.download);
        break;
      case 'choke':
      case 'unchoke':
        this.#apply({ type: message.kind === 'choke' ? 'choked' : 'unchoked', peer });
        break;
      case 'interested':
      case 'uninterested':
        connection.peerInterested = message.kind === 'interested';
        this.giving.dealSlots(this.download);
        break;
      case 'request':
        this.giving.requested(connection, message.request);
        break;
      case 'cancel':
        this.giving.cancelled(connection, message.request);
        break;
      case 'reject':
        this.#apply({ type: 'rejected', peer, ...message.request });
        break;
      case 'block':
        this.#received(connection, message);
    }
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
    while (this.#fetches.length > 0) {
      const { now } = this.#events;
      const startedAt = this.startedAt ?? now;
      const circumstances = { startedAt, connectedPeers: this.connections.size, peersExpected: true };
      const piece = claimForWebseed(this.download, circumstances, now);
      if (piece < 0) return;
      const fetch = this.#fetches.pop()!;
      fetch(lengthOf(piece), () => {
        this.#fetches?.push(fetch);
        this.#events.after(verifyMs, { fire: () => this.#verified(piece) });
        this.#askWebseed();
      });
    }
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
}
