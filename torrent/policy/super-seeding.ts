/**
 * What an origin lets each peer see of it (the idea of BEP 16): it shows nothing at first and then reveals each piece to one
 * peer, so that each piece leaves it once before any leaves twice. Whoever is shown a piece fetches it and passes it on.
 *
 * Only so many pieces are revealed ahead as keep the link busy: what is sent to a few sooner than to all can be passed on
 * sooner. When every piece has been revealed, only those are revealed again that would be missing or late otherwise:
 * nobody has them any more, or a peer makes no progress without us.
 *
 * Invariant: a peer is never shown a piece that it has.
 */
import type { PeerKey } from './active-piece.ts';
import type { Bitset } from './bitset.ts';

export interface Reveal {
  readonly peer: PeerKey;
  readonly piece: number;
}

/** What the download policy knows of one peer. */
export interface SeenPeer {
  readonly key: PeerKey;
  readonly pieces: Bitset;
}

export interface SuperSeedingOptions {
  readonly pieceCount: number;
  /** Bytes. */
  readonly pieceLength: number;
  readonly random: () => number;
}

export interface RevealInput {
  /** Those that are connected. */
  readonly peers: ReadonlyMap<PeerKey, SeenPeer>;
  /** How many of them have a piece. */
  readonly copies: (piece: number) => number;
  /** What this origin sends. */
  readonly bytesPerSecond: number;
}

interface Shown {
  /** Pieces that it was shown and has not announced yet, and since when, in ms. */
  readonly open: Map<number, number>;
  /** Pieces shown so far. */
  given: number;
  /** When the peer last asked for something, or announced or was shown a piece, in ms. */
  signAt: number;
  /** When it last announced a piece that it was not shown: others supply it. */
  suppliedAt: number;
  /** Pieces it had then. */
  had: number;
  /** It gave no sign of life: nothing is shown to it for a while, unless it gives one. */
  asleepUntil: number;
}

/** Revealed and not fetched yet, together: at least so many pieces, and at least what is sent in `OPEN_SECONDS`. */
const FEWEST_OPEN = 12;
const OPEN_SECONDS = 0.1;
/** A peer that was shown pieces and neither asks nor announces for so long is gone: others get them. */
const SILENT_MS = 2000;
const SLEEP_MS = 10_000;
/** A piece that a slow peer was shown so long ago is shown to another, once nothing new is left. */
const LATE_MS = 1000;
/**
 * A peer that got no piece from anyone else for so long needs us, whoever is thought to have it: they may be gone without
 * our knowing. Not much sooner: a machine that is short of CPU may stop for a second or two.
 */
const STALLED_MS = 3200;
/** Pieces to reveal again are looked for this often, and so is whatever time alone changes. */
const AGAIN_MS = 200;

export class SuperSeeding {
  readonly #options: SuperSeedingOptions;
  readonly #shown = new Map<PeerKey, Shown>();
  /** Pieces to be revealed for the first time, in random order; taken from the end. */
  readonly #fresh: number[];
  /** Peers that had everything when they left: they are still there for others. */
  #graduates = 0;
  #againAt = Number.NEGATIVE_INFINITY;
  /** Peers that have not announced all they were shown. */
  readonly #waitedFor = new Map<PeerKey, Shown>();
  #walkedAt = Number.NEGATIVE_INFINITY;
  /** Somebody came, went or woke up since. */
  #changed = true;

  constructor(options: SuperSeedingOptions) {
    this.#options = options;
    const { pieceCount, random } = options;
    this.#fresh = Array.from({ length: pieceCount }, (_, piece) => piece);
    for (let index = pieceCount - 1; index > 0; index--) {
      const other = Math.floor(random() * (index + 1));
      [this.#fresh[index], this.#fresh[other]] = [this.#fresh[other]!, this.#fresh[index]!];
    }
  }

  joined(peer: PeerKey, now: number): void {
    this.#changed = true;
    this.#shown.set(peer, {
      open: new Map(),
      given: 0,
      signAt: now,
      suppliedAt: now,
      had: 0,
      asleepUntil: Number.NEGATIVE_INFINITY,
    });
  }

  /** The peer asked for a block. */
  asked(peer: PeerKey, now: number): void {
    const shown = this.#shown.get(peer);
    if (!shown) return;
    shown.signAt = now;
    if (shown.asleepUntil > now) this.#changed = true;
    shown.asleepUntil = Number.NEGATIVE_INFINITY;
  }

  /** `complete`: it had every piece. */
  left(peer: PeerKey, complete: boolean): void {
    const shown = this.#shown.get(peer);
    this.#shown.delete(peer);
    this.#waitedFor.delete(peer);
    this.#changed = true;
    if (complete) this.#graduates++;
    else if (shown) this.#fresh.push(...shown.open.keys());
  }

  /** What to reveal now. To be asked whenever a peer comes, goes or gets a piece, and now and then. */
  decide({ peers, copies, bytesPerSecond }: RevealInput, now: number): Reveal[] {
    if (!this.#isDue(peers, now)) return [];
    this.#walkedAt = now;
    this.#changed = false;
    const able: { readonly peer: SeenPeer; readonly shown: Shown }[] = [];
    let open = 0;
    for (const peer of peers.values()) {
      const shown = this.#shown.get(peer.key);
      if (!shown) continue;
      this.#settle(peer, shown, now);
      open += shown.open.size;
      if (!peer.pieces.isFull && shown.asleepUntil <= now) able.push({ peer, shown });
    }
    if (able.length === 0) return [];
    const ahead = Math.ceil((bytesPerSecond * OPEN_SECONDS) / this.#options.pieceLength);
    const mostOpen = Math.max(FEWEST_OPEN, ahead);
    const mostEach = Math.ceil(mostOpen / able.length);
    // Whoever waits for least is next, and of those who was given least.
    able.sort((a, b) => a.shown.open.size - b.shown.open.size || a.shown.given - b.shown.given);
    const mayRepeat = now - this.#againAt >= AGAIN_MS;
    const reveals: Reveal[] = [];
    for (const { peer, shown } of able) {
      while (open < mostOpen && shown.open.size < mostEach) {
        let piece = this.#takeFresh(copies);
        if (piece < 0 && mayRepeat) {
          this.#againAt = now;
          piece = this.#again(peer, shown, copies, now);
        }
        if (piece < 0) break;
        if (shown.open.size === 0) shown.signAt = now;
        shown.open.set(piece, now);
        this.#waitedFor.set(peer.key, shown);
        shown.given++;
        open++;
        reveals.push({ peer: peer.key, piece });
      }
    }
    return reveals;
  }

  /**
   * A room of hundreds announces pieces tens of thousands of times a second, and few of them are those that were shown: only then,
   * or when peers come and go, is it worth a walk over all peers.
   */
  #isDue(peers: RevealInput['peers'], now: number): boolean {
    if (this.#changed || now - this.#walkedAt >= AGAIN_MS) return true;
    for (const [key, { open }] of this.#waitedFor) {
      const pieces = peers.get(key)?.pieces;
      for (const piece of open.keys()) if (pieces?.has(piece)) return true;
    }
    return false;
  }

  #settle(peer: SeenPeer, shown: Shown, now: number): void {
    let gained = peer.pieces.count - shown.had;
    if (gained > 0) this.asked(peer.key, now);
    shown.had += gained;
    for (const piece of shown.open.keys()) {
      if (!peer.pieces.has(piece)) continue;
      shown.open.delete(piece);
      gained--;
    }
    if (gained > 0) shown.suppliedAt = now;
    if (shown.open.size === 0) this.#waitedFor.delete(peer.key);
    if (shown.open.size === 0 || now - shown.signAt < SILENT_MS) return;
    this.#fresh.push(...shown.open.keys());
    shown.open.clear();
    this.#waitedFor.delete(peer.key);
    shown.asleepUntil = now + SLEEP_MS;
  }

  /** A piece that nobody has been shown, or -1. */
  #takeFresh(copies: (piece: number) => number): number {
    for (;;) {
      const piece = this.#fresh.pop();
      if (piece === undefined) return -1;
      // Otherwise somebody came with it.
      if (copies(piece) === 0) return piece;
    }
  }

  /** A piece that this peer needs from us although it was revealed before, or -1. */
  #again(peer: SeenPeer, shown: Shown, copies: (piece: number) => number, now: number): number {
    const stalled = now - shown.suppliedAt >= STALLED_MS;
    let chosen = -1;
    let fewest = stalled ? Number.POSITIVE_INFINITY : this.#graduates > 0 ? 0 : 1;
    for (let piece = 0; piece < this.#options.pieceCount; piece++) {
      if (peer.pieces.has(piece) || shown.open.has(piece)) continue;
      const count = copies(piece);
      if (count >= fewest) continue;
      const soon = count + this.#onTheirWay(piece, now);
      if (soon >= fewest) continue;
      fewest = soon;
      chosen = piece;
    }
    return chosen;
  }

  /** Peers that were shown the piece and will soon have it. */
  #onTheirWay(piece: number, now: number): number {
    let count = 0;
    for (const { open } of this.#shown.values())
      if (now - (open.get(piece) ?? Number.NEGATIVE_INFINITY) < LATE_MS) count++;
    return count;
  }
}
