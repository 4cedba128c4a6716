/**
 * Who is in the room: dials and accepts, shakes hands, keeps one connection per peer, remembers whom to avoid.
 *
 * Invariant: a peer id has at most one open connection; a banned peer has none.
 */
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { sameSubnet } from '../discovery/same-subnet.ts';
import { type Endpoint, formatEndpoint } from '../endpoint.ts';
import { drawnByLot, type Guest, isHostFull, leastUseful, slowestToShakeHands } from '../policy/door.ts';
import { acceptsMore, dialsWanted, type MeshInput } from '../policy/mesh.ts';
import { Newcomers } from '../policy/newcomers.ts';
import { isLoopback, keepsNewConnection, PeerBook } from '../policy/peer-book.ts';
import { Strikes } from '../policy/strikes.ts';
import { Inlet } from '../wire/inlet.ts';
import { type Listener, startListener } from '../wire/listener.ts';
import type { TorrentShape } from '../wire/message-rules.ts';
import { PeerConnection, type PeerHandlers } from '../wire/peer-connection.ts';
import type { SwarmTuning } from './options.ts';

export interface RoomOptions {
  /** 20 bytes each. */
  readonly infohash: Buffer;
  readonly peerId: Buffer;
  /** undefined while the metainfo is unknown. */
  readonly shape: TorrentShape | undefined;
  readonly metadataBytes: number;
  readonly maxPeers: number;
  /** See `SwarmOptions`. */
  readonly typeOfService?: number | undefined;
  /** How far this machine is: decides how many connections it seeks. */
  readonly standing: () => Pick<MeshInput, 'complete' | 'lagSeconds'>;
  readonly tuning: SwarmTuning;
  /** Called before our handshake goes out: the place for extensions. */
  readonly prepare: (peer: PeerConnection) => void;
  /** The handshake is done and the peer stays: bitfield and the like go out here. */
  readonly joined: (peer: PeerConnection) => void;
  /** `wasOpen`: it had joined. */
  readonly left: (peer: PeerConnection, reason: string, wasOpen: boolean) => void;
  readonly banned: (address: string, reason: string) => void;
  readonly handlers: Pick<PeerHandlers, 'described' | 'exchanged' | 'land' | 'landed' | 'drained'>;
}

const STRUCK_PAUSE_MS = 60_000;
/** Sockets beyond `maxPeers` that may be shaking hands: strangers must not keep peers out. */
const SPARE_SOCKETS = 16;
/** Peers that are gone, for a ban that comes after them. */
const MOST_REMEMBERED = 1024;

/** Another address of a connected peer is not tried again for so long. */
const ALIAS_PAUSE_MS = 300_000;

interface Identity {
  readonly endpoint: Endpoint;
  readonly peerId: string;
}

/** A courtesy to other traffic: a socket that does not take it, or is gone already, is no worse a socket. */
function mark(socket: Socket, typeOfService: number | undefined): void {
  if (typeOfService === undefined) return;
  try {
    socket.setTypeOfService(typeOfService);
  } catch {}
}

export class Room {
  readonly book = new PeerBook(sameSubnet(networkInterfaces()));
  /** Open connections. */
  readonly peers = new Map<number, PeerConnection>();
  readonly #options: RoomOptions;
  readonly #inlet = new Inlet();
  readonly #byId = new Map<string, PeerConnection>();
  readonly #identities = new Map<number, Identity>();
  readonly #strikes = new Strikes();
  readonly #newcomers = new Newcomers();
  /** Every connection, open or not yet. */
  readonly #all = new Set<PeerConnection>();
  readonly #infohash: string;
  readonly #ownId: string;
  #listener: Listener | undefined;
  #nextKey = 1;
  #closed = false;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#infohash = options.infohash.toString('hex');
    this.#ownId = options.peerId.toString('hex');
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** Rejects if the port cannot be had. */
  async listen(host: string | undefined, port: number): Promise<void> {
    this.#listener = await startListener({ host, port }, (socket, remote) => this.#accept(socket, remote));
  }

  /** Dials who is due. To be called now and then. */
  dial(): void {
    if (this.#closed) return;
    const { tuning, maxPeers, standing } = this.#options;
    const wanted = dialsWanted({
      connected: this.peers.size,
      dialing: this.#dialing(),
      maxPeers,
      lagSeconds: standing().lagSeconds,
    });
    const room = Math.min(wanted, maxPeers - this.#all.size);
    if (room <= 0) return;
    for (const endpoint of this.book.take(room, tuning.now())) {
      if (this.#strikes.isOut(endpoint.host, tuning.now())) {
        this.book.pause(endpoint, STRUCK_PAUSE_MS, tuning.now());
        this.book.ended(endpoint, false, tuning.now(), tuning.random);
        continue;
      }
      const socket = this.#inlet.dial(endpoint, (chunk) => dialed.feed(chunk));
      const dialed = this.#connection(socket, 'out', endpoint);
      socket.once('connect', () => {
        if (dialed.isClosed) return;
        this.#options.prepare(dialed);
        dialed.wire.greet(this.#options.infohash, this.#options.peerId);
      });
    }
  }

  /** Closes those who were silent too long, and those who do not read. */
  closeIdle(): void {
    const { now, idleTimeoutMs, writeTimeoutMs } = this.#options.tuning;
    for (const peer of this.peers.values()) {
      if (now() - peer.lastReceivedAt > idleTimeoutMs) peer.close('idle');
      else peer.closeIfDeaf(writeTimeoutMs);
    }
  }

  /** The peer may be gone already. */
  ban(key: number, reason: string): void {
    const identity = this.#identities.get(key);
    if (!identity || !this.book.ban(identity.endpoint, identity.peerId)) return;
    this.#options.banned(formatEndpoint(identity.endpoint), reason);
    for (const peer of [...this.#all]) {
      const { listensAt, remote, peerId } = peer;
      if (peer.key === key || peerId === identity.peerId || this.book.isBannedAddress(listensAt ?? remote)) {
        peer.close(reason);
      }
    }
  }

  /** Address of a peer that is or was connected. */
  addressOf(key: number): string {
    const identity = this.#identities.get(key);
    return identity ? formatEndpoint(identity.endpoint) : 'unknown';
  }

  /** The peer said where it listens; it need not be dialed while it is connected. */
  listensAt(peer: PeerConnection, port: number): void {
    if (peer.listensAt || port <= 0 || port > 65_535) return;
    peer.listensAt = { host: peer.remote.host, port };
    this.book.add([peer.listensAt], this.#options.tuning.now());
    this.book.connected(peer.listensAt);
    const identity = this.#identities.get(peer.key);
    if (identity) this.#identities.set(peer.key, { ...identity, endpoint: peer.listensAt });
  }

  close(): void {
    this.#closed = true;
    this.#listener?.close();
    for (const peer of [...this.#all]) peer.close('swarm-closed');
  }

  #dialing(): number {
    let count = 0;
    for (const peer of this.#all) if (peer.direction === 'out' && peer.peerId === undefined) count++;
    return count;
  }

  #accept(socket: Socket, remote: Endpoint): void {
    const now = this.#options.tuning.now();
    const isUnwanted =
      this.#closed ||
      this.book.isBannedAddress(remote) ||
      this.#strikes.isOut(remote.host, now) ||
      isHostFull(remote.host, this.#guests());
    if (isUnwanted || !this.#makePlace(now)) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const read = this.#inlet.adopt(socket, (chunk) => peer.feed(chunk));
    const peer = this.#connection(read, 'in', remote);
    this.#options.prepare(peer);
  }

  /** A place for one more connection that has not shaken hands yet. False if there is none. */
  #makePlace(now: number): boolean {
    if (this.#all.size < this.#options.maxPeers + SPARE_SOCKETS) return true;
    const slowest = slowestToShakeHands(this.#guests(), now);
    slowest?.peer.close('gave-way');
    return slowest !== undefined;
  }

  *#guests(): Generator<Guest & { readonly peer: PeerConnection }> {
    for (const peer of this.#all) {
      yield {
        peer,
        host: peer.remote.host,
        isOpen: peer.isOpen,
        cameIn: peer.direction === 'in',
        isOrigin: peer.description?.origin ?? false,
        since: peer.since,
        usefulAt: peer.usefulAt,
      };
    }
  }

  #connection(socket: Socket, direction: 'in' | 'out', remote: Endpoint): PeerConnection {
    const { shape, metadataBytes, typeOfService, tuning, handlers } = this.#options;
    // Before the connection is there the call fails (EBADF).
    if (direction === 'in') mark(socket, typeOfService);
    else socket.once('connect', () => mark(socket, typeOfService));
    const peer = new PeerConnection({
      key: this.#nextKey++,
      socket,
      direction,
      remote,
      shape,
      metadataBytes,
      connectTimeoutMs: tuning.connectTimeoutMs,
      handshakeTimeoutMs: tuning.handshakeTimeoutMs,
      now: tuning.now,
      handlers: {
        ...handlers,
        handshake: (who, infohash, peerId) => this.#handshake(who, infohash, peerId),
        closed: (who, reason) => this.#gone(who, reason),
      },
    });
    this.#all.add(peer);
    return peer;
  }

  #handshake(peer: PeerConnection, infohash: string, peerId: string): string | undefined {
    if (infohash !== this.#infohash) return 'other-torrent';
    if (peerId === this.#ownId) {
      this.#introduce(peer);
      if (peer.listensAt) this.book.foundSelf(peer.listensAt);
      return 'self';
    }
    if (this.book.isBannedId(peerId)) return 'banned';
    const old = this.#byId.get(peerId);
    if (old) {
      const keepNew = keepsNewConnection({
        ownId: this.#ownId,
        peerId,
        newIsOutgoing: peer.direction === 'out',
        oldIsOutgoing: old.direction === 'out',
      });
      if (!keepNew) {
        this.#introduce(peer);
        this.#inherit(old, peer);
        return 'duplicate';
      }
      this.#inherit(peer, old);
      old.close('duplicate');
    } else if (!this.#admits(peer)) return 'full';
    this.#introduce(peer);
    peer.peerId = peerId;
    this.#byId.set(peerId, peer);
    this.peers.set(peer.key, peer);
    this.#remember(peer.key, { endpoint: peer.listensAt ?? peer.remote, peerId });
    if (peer.listensAt) this.book.connected(peer.listensAt);
    this.#options.joined(peer);
    return undefined;
  }

  /**
   * Our half of the handshake to who came to us, also where it does not stay: who knows that it has dialed another address
   * of a peer that is here, or itself, does not do so again.
   */
  #introduce({ direction, wire }: PeerConnection): void {
    if (direction === 'in') wire.greet(this.#options.infohash, this.#options.peerId);
  }

  /** Whether there is a place, or was made one. Whom we dialed has it: it was wanted. */
  #admits({ direction, remote }: PeerConnection): boolean {
    const { maxPeers, standing, tuning } = this.#options;
    const { now, random } = tuning;
    const connected = this.peers.size;
    const { complete } = standing();
    const mayReplace = direction === 'in' && this.#newcomers.mayReplace(remote.host, now(), random);
    if (direction === 'out' ? connected < maxPeers : acceptsMore({ connected, maxPeers, complete }))
      return true;
    const goes =
      leastUseful(this.#guests(), now()) ??
      (mayReplace && !complete ? drawnByLot(this.#guests(), random) : undefined);
    goes?.peer.close('gave-way');
    return goes !== undefined;
  }

  /** The connection that stays knows the dialed address, so that it is not dialed again meanwhile. */
  #inherit(stays: PeerConnection, goes: PeerConnection): void {
    if (goes.direction !== 'out' || !goes.listensAt) return;
    // Two addresses of one peer: the one that works is kept.
    if (stays.listensAt && formatEndpoint(stays.listensAt) !== formatEndpoint(goes.listensAt)) return;
    stays.listensAt = goes.listensAt;
    goes.listensAt = undefined;
    this.book.connected(stays.listensAt);
  }

  #remember(key: number, identity: Identity): void {
    this.#identities.set(key, identity);
    for (const oldest of this.#identities.keys()) {
      if (this.#identities.size <= MOST_REMEMBERED) break;
      if (!this.peers.has(oldest)) this.#identities.delete(oldest);
      else break;
    }
  }

  #gone(peer: PeerConnection, reason: string): void {
    this.#all.delete(peer);
    const wasOpen = this.peers.delete(peer.key);
    if (peer.peerId !== undefined && this.#byId.get(peer.peerId) === peer) this.#byId.delete(peer.peerId);
    const { now, random } = this.#options.tuning;
    // On loopback all peers share a host.
    const { host } = peer.remote;
    if (!isLoopback(host) && this.#strikes.ended(host, reason, now()))
      this.#options.banned(formatEndpoint(peer.listensAt ?? peer.remote), reason);
    if (peer.listensAt) {
      this.book.ended(peer.listensAt, peer.received + peer.sent > 0, now(), random);
      if (reason === 'both-complete') this.book.pause(peer.listensAt, 60_000, now());
      // Another address of somebody who is here, IPv6 beside IPv4 for instance.
      if (reason === 'duplicate') this.book.pause(peer.listensAt, ALIAS_PAUSE_MS, now());
    }
    this.#options.left(peer, reason, wasOpen);
  }
}
