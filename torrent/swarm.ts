/**
 * One torrent, alive: leeches what is missing and seeds what is there, at the same time. This is the shell: it owns
 * sockets, timers and the store, and does what the policies (policy/) decide.
 */
import { EventEmitter } from 'node:events';
import type { Endpoint } from './endpoint.ts';
import { isPrivate } from './metainfo-private.ts';
import { makePeerId } from './peer-id.ts';
import { WEBSEED_KEY } from './policy/active-piece.ts';
import { Bitset } from './policy/bitset.ts';
import { claimForWebseed } from './policy/claim.ts';
import { Download } from './policy/download.ts';
import type { DownloadEvent } from './policy/download-events.ts';
import { type MemoryBudget, memoryBudget } from './policy/memory-budget.ts';
import { mostPeersOf } from './policy/mesh.ts';
import { DEFAULT_REQUEST_QUEUE } from './policy/pipeline.ts';
import { Announcer } from './swarm/announcer.ts';
import { Arrivals, type ArrivedFrom } from './swarm/arrivals.ts';
import { checkedReads } from './swarm/checked-reads.ts';
import { Completion } from './swarm/completion.ts';
import { Discovery } from './swarm/discovery.ts';
import { execute, type Hands } from './swarm/execute.ts';
import { HashThread } from './swarm/hash-thread.ts';
import { Landing } from './swarm/landing.ts';
import {
  DEFAULT_TUNING,
  type SwarmEvents,
  type SwarmOptions,
  type SwarmStats,
  type SwarmTuning,
} from './swarm/options.ts';
import { reportToDownload } from './swarm/peer-events.ts';
import { PeerExchange } from './swarm/peer-exchange.ts';
import { Room } from './swarm/room.ts';
import { Seeding } from './swarm/seeding.ts';
import { type SwarmShape, shapeOf } from './swarm/shape.ts';
import { statistics } from './swarm/statistics.ts';
import { Webseeds } from './swarm/webseeds.ts';
import { describeSelf } from './wire/extended-handshake.ts';
import { metadataExtension } from './wire/metadata-extension.ts';
import type { PeerConnection } from './wire/peer-connection.ts';
import { PieceBuffers } from './wire/piece-buffers.ts';

export type { SwarmEvents, SwarmOptions, SwarmStats, SwarmTuning } from './swarm/options.ts';

const TICK_MS = 250;

/**
 * Events: see `SwarmEvents`. A swarm runs until `close`; completing a download does not end it, it goes on seeding.
 */
export class Swarm extends EventEmitter<SwarmEvents> {
  readonly #options: SwarmOptions;
  readonly #tuning: SwarmTuning;
  readonly #shape: SwarmShape;
  readonly #download: Download;
  /** What others may have of us: all that the download has, or what a partial seed holds. */
  readonly #offered: Bitset;
  readonly #landing: Landing;
  readonly #buffers: PieceBuffers;
  readonly #room: Room;
  readonly #hands: Hands;
  readonly #seeding: Seeding;
  readonly #webseeds: Webseeds;
  readonly #announcer: Announcer;
  #hashes: HashThread | undefined;
  readonly #startedAt: number;
  readonly #peerId: Buffer;
  #arrivals: Arrivals | undefined;
  readonly #completion = new Completion();
  readonly #memory: MemoryBudget;
  readonly #exchange: PeerExchange;
  #discovery: Discovery | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #payload = 0;
  #webseedBytes = 0;
  #hashFailures = 0;
  #closed = false;

  /**
   * Starts leeching (or seeding, if `complete`). Rejects if the listening port cannot be had; everything later is an
   * event, a statistic or the fate of `complete`.
   */
  static async start(options: SwarmOptions, tuning: Partial<SwarmTuning> = {}): Promise<Swarm> {
    const swarm = new Swarm(options, { ...DEFAULT_TUNING, ...tuning });
    const { listen } = options;
    if (listen) await swarm.#room.listen(listen.host, listen.port);
    swarm.#begin();
    return swarm;
  }

  private constructor(options: SwarmOptions, tuning: SwarmTuning) {
    super();
    const { metainfo, store } = options;
    this.#options = options;
    this.#tuning = tuning;
    this.#startedAt = tuning.now();
    this.#shape = shapeOf(metainfo);
    this.#peerId = makePeerId();
    const { pieceCount, pieceLength } = metainfo;
    // A partial seed wants nothing: to its download side it is complete.
    const seeds = options.complete || options.holds !== undefined;
    this.#memory = memoryBudget(pieceLength, { limitBytes: options.memoryLimitBytes, seeds });
    const have = seeds ? Bitset.full(pieceCount) : new Bitset(pieceCount);
    this.#offered = options.holds ? new Bitset(pieceCount) : have;
    for (const piece of options.holds ?? []) this.#offered.add(piece);
    for (const piece of this.#offered) this.#payload += this.#shape.payloadOf(piece);
    this.#download = new Download({
      pieceCount,
      pieceLength,
      lengthOf: this.#shape.lengthOf,
      have,
      mostActive: this.#memory.active,
      ownPeerId: this.#peerId,
      random: tuning.random,
      requestTimeoutMs: tuning.requestTimeoutMs,
      startedAt: this.#startedAt,
    });
    this.#buffers = new PieceBuffers(pieceLength, this.#memory.active);
    this.#landing = new Landing(this.#download, this.#buffers, this.#shape);
    this.#seeding = new Seeding({
      shape: this.#shape,
      have: this.#offered,
      read: options.verifyReads
        ? checkedReads({
            ...{ metainfo, store, offered: this.#offered },
            withdrawn: (piece, reason) => this.#withdrawn(piece, reason),
          })
        : (piece, target) => store.read(piece * pieceLength, target),
      bytesPerSecond: options.uploadBytesPerSecond ?? 0,
      cachedPieces: this.#memory.cached,
      slots: tuning.uploadSlots,
      superSeeding: options.complete === true && options.role === 'origin',
      now: tuning.now,
      random: tuning.random,
    });
    this.#room = this.#makeRoom();
    this.#hands = {
      room: this.#room,
      landing: this.#landing,
      verify: (piece) => {
        const sources = this.#download.sourcesOf(piece).map((key) => this.#room.addressOf(key));
        void this.#verify(piece, sources);
      },
    };
    this.#announcer = new Announcer(this.#room.peers, (key, piece) => {
      const peer = this.#download.peers.get(key);
      // An origin that super-seeds waits to hear of what it has shown.
      return peer !== undefined && !peer.origin && peer.pieces.has(piece);
    });
    this.#exchange = new PeerExchange({
      peers: this.#room.peers,
      isSeed: (key) => this.#download.peers.get(key)?.pieces.isFull ?? false,
      seeding: () => have.isFull,
      onPeers: (peers) => this.addPeers(peers),
      now: tuning.now,
    });
    this.#webseeds = new Webseeds({
      metainfo,
      urls: have.isFull ? [] : (options.webseeds ?? metainfo.urlList),
      claim: () => this.#claimForWebseed(),
      bufferOf: (piece) => this.#landing.bytesOf(piece),
      fetched: (piece, url) => this.#verify(piece, [url]),
      abandoned: (piece) => this.#apply({ type: 'abandoned', piece }),
      idle: () => this.#webseeds.run(),
      warn: (code, message) => this.#warn(code, message),
      now: tuning.now,
    });
    if (have.isFull) this.#completion.resolve();
  }

  /** The listening port; 0 if there is no listener. */
  get port(): number {
    return this.#room.port;
  }

  stats(): SwarmStats {
    return statistics({
      metainfo: this.#options.metainfo,
      download: this.#download,
      offered: this.#offered,
      offeredBytes: this.#payload,
      webseedBytes: this.#webseedBytes,
      hashFailures: this.#hashFailures,
      seeding: this.#seeding,
      room: this.#room,
      now: this.#tuning.now(),
    });
  }

  /** Addresses that were heard of elsewhere. */
  addPeers(endpoints: readonly Endpoint[]): void {
    if (this.#closed) return;
    this.#room.book.add(endpoints, this.#tuning.now());
    this.#room.dial();
  }

  /**
   * Resolves when every piece is stored. Rejects with the store's error if it keeps failing, if the swarm is closed
   * before, or with the signal's reason.
   */
  complete(signal?: AbortSignal): Promise<void> {
    return this.#completion.wait(signal);
  }

  /** Tells the trackers (2 s at most), closes every connection and waits for writes under way. May be called twice. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      clearInterval(this.#timer);
      this.#room.close();
      this.#seeding.close();
      this.#exchange.close();
      this.#webseeds.close();
      this.#announcer.close();
      this.#hashes?.close();
      this.#completion.reject(new Error('The swarm was closed before the download was complete'));
    }
    const written = this.#arrivals?.close();
    await this.#discovery?.stop();
    await written;
  }

  #begin(): void {
    if (!this.#download.have.isFull) {
      this.#hashes = new HashThread(this.#options.metainfo, this.#tuning.now);
      this.#arrivals = this.#takeArrivals(this.#hashes);
    }
    const { received } = this.#download;
    this.#discovery = new Discovery({
      swarm: this.#options,
      peerId: this.#peerId,
      port: this.port,
      left: () => this.#options.metainfo.payloadLength - this.#payload,
      uploaded: () => this.#seeding.sent,
      downloaded: () => received.peers + received.origin,
      peers: () => this.#room.peers.size,
      onPeers: (peers) => this.addPeers(peers),
      warn: (code, message) => this.#warn(code, message),
      now: this.#tuning.now,
      random: this.#tuning.random,
    });
    this.#webseeds.run();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #makeRoom(): Room {
    const { metainfo, role = 'peer', maxPeers = mostPeersOf(role), typeOfService } = this.#options;
    const secluded = isPrivate(metainfo);
    return new Room({
      infohash: metainfo.wireInfohash,
      peerId: this.#peerId,
      shape: this.#shape,
      metadataBytes: metainfo.infoBytes.length,
      maxPeers,
      typeOfService,
      tuning: this.#tuning,
      standing: () => ({
        complete: this.#download.have.isFull,
        lagSeconds: this.#download.lagSeconds,
      }),
      prepare: ({ wire }) => {
        wire.extendedHandshake = describeSelf({ origin: role === 'origin', listenPort: this.port });
        wire.use(metadataExtension({ serve: metainfo.infoBytes }));
        if (!secluded) wire.offerPeerExchange();
        wire.setKeepAlive(true);
      },
      joined: (peer) => this.#joined(peer),
      left: (peer, reason, wasOpen) => this.#left(peer, reason, wasOpen),
      banned: (peer, reason) => this.emit('banned', { peer, reason }),
      handlers: {
        described: (peer, { origin, listenPort, longestRequest, requestQueue = DEFAULT_REQUEST_QUEUE }) => {
          this.#room.listensAt(peer, listenPort);
          this.#exchange.met(peer);
          this.#apply({ type: 'described', peer: peer.key, origin, requestQueue, longestRequest });
        },
        exchanged: (peer, payload) => this.#exchange.received(peer, payload),
        land: (peer, piece, begin, length) => this.#landing.land(peer, piece, begin, length),
        landed: (peer, piece, begin, bytes) => {
          const home = this.#landing.landed(peer, piece, begin, bytes);
          this.#apply({ type: 'block', peer: peer.key, piece, begin, bytes: home });
        },
        drained: () => this.#seeding.drained(),
      },
    });
  }

  #joined(peer: PeerConnection): void {
    const { wire, key } = peer;
    this.#seeding.greet(peer);
    this.#apply({ type: 'joined', peer: key, id: wire.peerIdBuffer!, fast: wire.hasFast });
    reportToDownload(peer, this.#shape.pieceCount, (event) => this.#apply(event));
    this.#seeding.serve(peer, () => this.#dealSlots());
    this.#exchange.met(peer);
    this.emit('peer', { address: this.#room.addressOf(key), direction: peer.direction });
  }

  #left(peer: PeerConnection, reason: string, wasOpen: boolean): void {
    if (wasOpen) {
      this.#landing.leave(peer);
      this.#seeding.leave(peer, this.#download.peers.get(peer.key)?.pieces.isFull === true);
      this.#exchange.left(peer);
      this.#apply({ type: 'left', peer: peer.key });
    }
    const { host, port } = peer.listensAt ?? peer.remote;
    this.emit('peer-closed', { address: `${host}:${port}`, reason });
  }

  #apply(event: DownloadEvent): void {
    if (this.#closed) return;
    for (const command of this.#download.apply(event, this.#tuning.now())) execute(command, this.#hands);
    this.#seeding.reveal(this.#download, this.#room.peers);
  }

  #verify(piece: number, sources: readonly string[]): Promise<'ok' | 'bad'> {
    const fromWebseed = this.#download.active.get(piece)?.leader === WEBSEED_KEY;
    return this.#arrivals!.take(piece, this.#landing.bytesOf(piece), { sources, fromWebseed });
  }

  #takeArrivals(hashes: HashThread): Arrivals {
    return new Arrivals({
      ...{ store: this.#options.store, shape: this.#shape, hashes },
      refuted: (piece, bytes, sources) => {
        this.#hashFailures++;
        this.emit('hash-failure', { piece, sources });
        this.#apply({ type: 'refuted', piece, bytes });
      },
      stored: (piece, bytes, from) => this.#stored(piece, bytes, from),
      failed: (piece, error, hopeless) => {
        this.#warn('store-failed', error.message);
        if (hopeless) this.#completion.reject(error);
        this.#apply({ type: 'abandoned', piece });
      },
    });
  }

  #stored(piece: number, bytes: Uint8Array, { sources, fromWebseed }: ArrivedFrom): void {
    if (fromWebseed) {
      this.#webseedBytes += bytes.length;
      this.#download.rate.add(bytes.length, this.#tuning.now());
    }
    this.#payload += this.#shape.payloadOf(piece);
    // Before the policy hears of it: it may let peers go that need to know that we have everything.
    if (this.#announcer.announce(piece)) this.#seeding.keep(piece, bytes);
    this.#apply({ type: 'verified', piece, bytes });
    this.emit('piece', piece, sources);
    if (this.#download.have.isFull) this.#finished();
  }

  #finished(): void {
    this.#webseeds.close();
    this.#hashes?.close();
    this.#buffers.clear();
    this.#seeding.growCache(this.#memory.cachedWhenComplete);
    this.#discovery?.complete();
    this.#completion.resolve();
    this.#announcer.flush();
    this.emit('complete');
  }

  #claimForWebseed(): number {
    if (this.#closed) return -1;
    const { trackers = this.#options.metainfo.announce, localDiscovery = false } = this.#options;
    const circumstances = {
      startedAt: this.#startedAt,
      connectedPeers: this.#room.peers.size,
      peersExpected: localDiscovery || trackers.length > 0 || this.#room.book.size > 0,
    };
    return claimForWebseed(this.#download, circumstances, this.#tuning.now());
  }

  #withdrawn(piece: number, reason: string): void {
    this.#payload -= this.#shape.payloadOf(piece);
    this.emit('withdrawn', { piece, reason });
  }

  #dealSlots(): void {
    const { peers, have } = this.#download;
    const now = this.#tuning.now();
    this.#seeding.dealSlots(
      this.#room.peers,
      have.isFull,
      (key) => peers.get(key)?.rate.bytesPerSecond(now) ?? 0,
    );
  }

  #tick(): void {
    this.#apply({ type: 'tick' });
    this.#webseeds.run();
    if (++this.#ticks % 4 !== 0) return;
    this.#announcer.flush();
    this.#dealSlots();
    this.#room.closeIdle();
    this.#room.dial();
  }

  #warn(code: string, message: string): void {
    this.emit('warning', { code, message });
  }
}
