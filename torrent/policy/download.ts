/**
 * The download of one torrent as a state machine: events in, commands out. No sockets, files, clock or randomness.
 *
 *   a piece:  missing -> active (blocks free, asked for, here) -> sealed (being checked) -> here
 *                          ^--------- refuted, abandoned -----------'
 *
 * Invariants: a block is accepted only from a peer that was asked for it; a sealed piece is never written to; at most
 * `mostActive` pieces are active, which bounds memory.
 */
import { ActivePiece, type PeerKey, WEBSEED_KEY } from './active-piece.ts';
import { assignBlocks } from './assign.ts';
import { Availability } from './availability.ts';
import { Bitset } from './bitset.ts';
import type { DownloadCommand, DownloadEvent, PeerEvent } from './download-events.ts';
import { DownloadPeer } from './download-peer.ts';
import { secondsBehind } from './lag.ts';
import { BLOCK_BYTES, fewestBlocks } from './pipeline.ts';
import { Rate } from './rate.ts';
import { Ownership } from './rendezvous.ts';
import { Suspects } from './suspects.ts';
import { cancelElsewhere, release, takeBackAll, takeBackFromSilent } from './take-back.ts';

export interface DownloadOptions {
  readonly pieceCount: number;
  /** Bytes of a piece. */
  readonly lengthOf: (piece: number) => number;
  readonly pieceLength: number;
  readonly have: Bitset;
  readonly mostActive: number;
  readonly ownPeerId: Uint8Array;
  readonly random: () => number;
  /** A peer that owes blocks and sends none for so long, at most, is not relied on. */
  readonly requestTimeoutMs: number;
  /** In ms. */
  readonly startedAt: number;
}

type Standing = 'needed' | 'surplus' | 'unrequested';

/** Rejects in a row, unchoked and without a block in between, before a peer is let go: it promises what it does not give. */
const MOST_REFUSALS = 256;

export class Download {
  readonly options: DownloadOptions;
  readonly have: Bitset;
  readonly availability: Availability;
  readonly ownership: Ownership;
  readonly peers = new Map<PeerKey, DownloadPeer>();
  readonly active = new Map<number, ActivePiece>();
  /** Here or active. */
  readonly taken: Bitset;
  /** Every piece that there is. */
  readonly everything: Bitset;
  /** Accepted payload bytes, by who sent them; `wasted` arrived twice or too late. */
  readonly received = { peers: 0, origin: 0, wasted: 0 };
  /** Everything accepted, webseeds included. */
  readonly rate: Rate;
  lastBlockAt: number | undefined;
  /** How far this machine is behind its peers. */
  lagSeconds = 0;
  /** Connected peers that call themselves origin. */
  #origins = 0;
  readonly #suspects = new Suspects();
  readonly blocksPerPiece: number;

  constructor(options: DownloadOptions) {
    this.options = options;
    this.have = options.have;
    this.taken = Bitset.fromBitfield(options.pieceCount, options.have.bytes)!;
    this.rate = new Rate(options.startedAt);
    this.availability = new Availability(options.pieceCount);
    this.ownership = new Ownership(options.pieceCount, options.ownPeerId);
    this.everything = Bitset.full(options.pieceCount);
    this.blocksPerPiece = Math.ceil(options.pieceLength / BLOCK_BYTES);
  }

  /** Peers (origins not counted) that have `piece`. */
  readonly copies = (piece: number): number => this.availability.of(piece);

  /**
   * The room gets its pieces from this peer: it says that it is an origin and shows everything, or it is the only one that
   * has everything, whatever client it is.
   */
  isSource(peer: DownloadPeer): boolean {
    if (peer.superSeeds || !peer.pieces.isFull) return false;
    return peer.origin || (this.availability.completePeers === 1 && this.#origins === 0);
  }

  /** Peers that have `piece`, origins and `source` not counted. */
  copiesBeside(source: DownloadPeer, piece: number): number {
    return this.availability.of(piece) - (source.origin ? 0 : 1);
  }

  idOf(piece: number, block: number): number {
    return piece * this.blocksPerPiece + block;
  }

  /** Missing pieces that nobody fetches yet. */
  get unstarted(): number {
    return this.options.pieceCount - this.have.count - this.active.size;
  }

  /**
   * A block, or all those of one request, begin to arrive. `needed`: they were asked for and belong into the piece's buffer.
   * `surplus`: they were asked for, but some came from elsewhere or were taken back: receive them aside. `unrequested`: one
   * was never asked of this peer.
   */
  standing(key: PeerKey, piece: number, begin: number, length: number): Standing {
    const peer = this.peers.get(key);
    const pieceLength = this.options.lengthOf(piece);
    const end = begin + length;
    if (!peer || begin % BLOCK_BYTES !== 0 || end > pieceLength) return 'unrequested';
    if (end % BLOCK_BYTES !== 0 && end !== pieceLength) return 'unrequested';
    const first = begin / BLOCK_BYTES;
    const last = Math.ceil(end / BLOCK_BYTES) - 1;
    if (last - first >= peer.mostBlocksPerRequest) return 'unrequested';
    const active = this.active.get(piece);
    let needed = true;
    for (let block = first; block <= last; block++) {
      const id = this.idOf(piece, block);
      if (!peer.outstanding.has(id) && !peer.stale.has(id)) return 'unrequested';
      needed &&= this.#needs(active, block, key);
    }
    return needed ? 'needed' : 'surplus';
  }

  /** Who sent blocks of an active piece. */
  sourcesOf(piece: number): PeerKey[] {
    return [...new Set(this.active.get(piece)?.sourceOfBlocks)];
  }

  apply(event: DownloadEvent, now: number): DownloadCommand[] {
    const out: DownloadCommand[] = [];
    switch (event.type) {
      case 'joined':
        this.peers.set(
          event.peer,
          new DownloadPeer(event.peer, event.id, event.fast, this.options.pieceCount, now),
        );
        this.#shareOut();
        break;
      case 'tick':
        this.#tick(out, now);
        break;
      case 'verified':
        this.#verified(event.piece, event.bytes, out, now);
        break;
      case 'refuted':
        this.#refuted(event.piece, event.bytes, out, now);
        break;
      case 'abandoned':
        release(this, event.piece, out);
        this.#refillAll(out, now);
        break;
      default: {
        const peer = this.peers.get(event.peer);
        if (peer) this.#fromPeer(peer, event, out, now);
      }
    }
    return out;
  }

  /** Some peer can give every piece. */
  get hasSource(): boolean {
    return this.#origins > 0 || this.availability.completePeers > 0;
  }

  /** The piece is active from here on. */
  begin(
    piece: number,
    now: number,
    { single = this.#suspects.mustBeSingle(piece) }: { readonly single?: boolean } = {},
  ): ActivePiece {
    const active = new ActivePiece(piece, this.options.lengthOf(piece), single, now);
    this.active.set(piece, active);
    this.taken.add(piece);
    return active;
  }

  /** All peers that are not origins, together. */
  peersBytesPerSecond(now: number, includeOrigins = true): number {
    let sum = 0;
    for (const peer of this.peers.values())
      if (includeOrigins || !peer.origin) sum += peer.rate.bytesPerSecond(now);
    return sum;
  }

  #needs(active: ActivePiece | undefined, block: number, key: PeerKey): boolean {
    if (!active || active.sealed || active.isHere(block)) return false;
    return !active.single || active.leader === key;
  }

  #fromPeer(peer: DownloadPeer, event: PeerEvent, out: DownloadCommand[], now: number): void {
    switch (event.type) {
      case 'left':
        this.#left(peer, out, now);
        return;
      case 'described':
        if (event.origin && !peer.origin) {
          this.availability.remove(peer.pieces);
          this.#origins++;
        }
        peer.origin ||= event.origin;
        peer.requestQueue = event.requestQueue;
        peer.mostBlocksPerRequest = Math.floor(event.longestRequest / BLOCK_BYTES);
        this.#shareOut();
        return;
      case 'pieces':
        if (!peer.origin) this.availability.remove(peer.pieces);
        peer.pieces = event.pieces;
        if (!peer.origin) this.availability.add(peer.pieces);
        peer.wanted = 0;
        for (const piece of peer.pieces) if (!this.have.has(piece)) peer.wanted++;
        this.#shareOut();
        break;
      case 'have':
        if (!peer.pieces.add(event.piece)) return;
        if (!peer.origin) this.availability.gained(peer.pieces, event.piece);
        if (!this.have.has(event.piece)) peer.wanted++;
        if (peer.pieces.isFull) this.#shareOut();
        break;
      case 'choked':
        peer.choking = true;
        // BEP 6: with the fast extension each request is rejected or answered expressly.
        if (!peer.fast) takeBackAll(this, peer, out, { tell: false });
        this.#refillAll(out, now);
        return;
      case 'unchoked':
        peer.choking = false;
        break;
      case 'allowed':
        peer.allowed.add(event.piece);
        break;
      case 'rejected':
        this.#rejected(peer, event, out, now);
        return;
      case 'block':
        this.#blocks(peer, event, out, now);
        return;
    }
    this.#reconsider(peer, out);
    assignBlocks(this, peer, out, now);
  }

  /** Interest, and farewell between two that have everything. */
  #reconsider(peer: DownloadPeer, out: DownloadCommand[]): void {
    const interested = peer.wanted > 0;
    if (interested !== peer.interested) {
      peer.interested = interested;
      out.push({ do: 'interest', peer: peer.key, interested });
    }
    if (this.have.isFull && peer.pieces.isFull) {
      this.#drop(peer.key, 'both-complete', false, out);
    }
  }

  /** Peers may be gone already and still be banned. Webseeds have their own way out. */
  #drop(key: PeerKey, reason: string, ban: boolean, out: DownloadCommand[]): void {
    if (key === WEBSEED_KEY) return;
    const peer = this.peers.get(key);
    if (peer) peer.leaving = true;
    out.push({ do: 'drop', peer: key, reason, ban });
  }

  #refillAll(out: DownloadCommand[], now: number): void {
    for (const peer of this.peers.values()) assignBlocks(this, peer, out, now);
  }

  /** Ownership is a question between the leechers that are connected. */
  #shareOut(): void {
    const salts: number[] = [];
    for (const peer of this.peers.values()) if (!peer.origin && !peer.pieces.isFull) salts.push(peer.salt);
    this.ownership.setOthers(salts);
  }

  #left(peer: DownloadPeer, out: DownloadCommand[], now: number): void {
    this.peers.delete(peer.key);
    if (peer.origin) this.#origins--;
    else this.availability.remove(peer.pieces);
    takeBackAll(this, peer, out, { tell: false });
    this.#shareOut();
    this.#refillAll(out, now);
  }

  #rejected(
    peer: DownloadPeer,
    { piece, begin, length }: { readonly piece: number; readonly begin: number; readonly length: number },
    out: DownloadCommand[],
    now: number,
  ): void {
    const active = this.active.get(piece);
    let open = false;
    for (let at = begin; at < begin + length; at += BLOCK_BYTES) {
      const id = this.idOf(piece, at / BLOCK_BYTES);
      if (peer.settleStale(id) || !peer.outstanding.delete(id)) continue;
      open = true;
      if (active && !active.sealed) active.giveBack(at / BLOCK_BYTES);
    }
    if (!open) return;
    peer.progressAt = now;
    if (!peer.choking) peer.refused(piece, now);
    if (peer.refusalsInARow >= MOST_REFUSALS && !peer.leaving)
      this.#drop(peer.key, 'refuses-everything', false, out);
    if (active && !active.sealed) {
      if (active.leader === peer.key) active.leader = undefined;
      if (active.single && active.received > 0 && active.leader === undefined) release(this, piece, out);
    }
    this.#refillAll(out, now);
  }

  #blocks(
    peer: DownloadPeer,
    { piece, begin, bytes }: { readonly piece: number; readonly begin: number; readonly bytes: Uint8Array },
    out: DownloadCommand[],
    now: number,
  ): void {
    let awaited = 0;
    let needed = 0;
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = bytes.subarray(at, at + BLOCK_BYTES);
      const verdict = this.#block(peer, piece, (begin + at) / BLOCK_BYTES, block, out, now);
      if (verdict !== 'unrequested') awaited += block.length;
      if (verdict === 'needed') needed += block.length;
    }
    if (awaited > 0) {
      peer.progressAt = now;
      peer.snubs = 0;
      peer.refusalsInARow = 0;
      peer.rate.add(awaited, now);
      peer.burst.add(awaited, now);
      this.received.wasted += awaited - needed;
    }
    if (needed > 0) {
      peer.gave = true;
      this.lastBlockAt = now;
      this.rate.add(needed, now);
      this.received[peer.origin ? 'origin' : 'peers'] += needed;
    }
    assignBlocks(this, peer, out, now);
  }

  #block(
    peer: DownloadPeer,
    piece: number,
    block: number,
    bytes: Uint8Array,
    out: DownloadCommand[],
    now: number,
  ): Standing {
    const id = this.idOf(piece, block);
    const active = this.active.get(piece);
    const needed = this.#needs(active, block, peer.key);
    const request = peer.outstanding.get(id);
    if (request) peer.window.arrived(now - request.askedAt, fewestBlocks(this.peers.size));
    const asked = peer.outstanding.delete(id);
    if (!asked && !peer.settleStale(id)) return 'unrequested';
    if (!active || !needed) {
      if (asked && active && !active.sealed) active.giveBack(block);
      return 'surplus';
    }
    // Late: the block is free again or asked of others, whose count is not this peer's to lower.
    if (!asked && active.requesters[block]! > 0) active.share(block, now);
    const complete = active.put(block, bytes, peer.key);
    if (active.requesters[block]! > 0) cancelElsewhere(this, active, block, out);
    if (complete) {
      active.sealed = true;
      out.push({ do: 'verify', piece: active.index });
    }
    return 'needed';
  }

  #verified(piece: number, bytes: Uint8Array, out: DownloadCommand[], now: number): void {
    release(this, piece, out);
    if (!this.have.add(piece)) return;
    this.taken.add(piece);
    for (const key of this.#suspects.verified(piece, bytes)) this.#drop(key, 'bad-data', true, out);
    for (const peer of this.peers.values()) {
      if (peer.pieces.has(piece)) peer.wanted--;
      this.#reconsider(peer, out);
    }
    this.#refillAll(out, now);
  }

  #refuted(piece: number, bytes: Uint8Array, out: DownloadCommand[], now: number): void {
    const active = this.active.get(piece);
    if (!active) return;
    const sources = active.leader === WEBSEED_KEY ? [WEBSEED_KEY] : active.sourceOfBlocks;
    release(this, piece, out);
    for (const key of this.#suspects.failed(piece, sources, bytes)) this.#drop(key, 'bad-data', true, out);
    this.#refillAll(out, now);
  }

  #tick(out: DownloadCommand[], now: number): void {
    this.lagSeconds = secondsBehind(this, now);
    takeBackFromSilent(this, out, now);
    this.#refillAll(out, now);
  }
}
