/** The download policy among peers that a test plays: it keeps what each was asked for, and checks what may never happen. */
import assert from 'node:assert/strict';
import { Bitset } from '../../../torrent/policy/bitset.ts';
import { Download } from '../../../torrent/policy/download.ts';
import type { DownloadCommand, DownloadEvent } from '../../../torrent/policy/download-events.ts';
import { BLOCK_BYTES } from '../../../torrent/policy/pipeline.ts';

export const PIECES = 12;
export const PIECE = 4 * BLOCK_BYTES;
export const LAST = 2 * BLOCK_BYTES + 77;
export const lengthOf = (piece: number): number => (piece === PIECES - 1 ? LAST : PIECE);
export const keyOf = ({ piece, begin, length }: { piece: number; begin: number; length: number }): string =>
  `${piece}/${begin}/${length}`;

export class Lab {
  readonly download: Download;
  now = 0;
  /** Requests that each peer holds: "piece/begin/length". */
  readonly owed = new Map<number, Map<string, { piece: number; begin: number; length: number }>>();
  /** What was cancelled at each peer, and of that what the peer then refused when it was asked again. */
  readonly #cancelled = new Map<number, Set<string>>();
  readonly #doubtful = new Map<number, Set<string>>();
  readonly dropped: { peer: number; reason: string; ban: boolean }[] = [];
  readonly verifying: number[] = [];
  /** Blocks that each peer takes in one request, if it said so. */
  readonly longest = new Map<number, number>();
  #state = 1;

  constructor(mostActive = 6) {
    this.download = new Download({
      pieceCount: PIECES,
      pieceLength: PIECE,
      lengthOf,
      have: new Bitset(PIECES),
      mostActive,
      ownPeerId: Buffer.from('-SB0100-me0000000000'),
      random: () => {
        this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
        return this.#state / 2 ** 32;
      },
      requestTimeoutMs: 5000,
      startedAt: 0,
    });
  }

  apply(event: DownloadEvent): void {
    for (const command of this.download.apply(event, this.now)) this.#execute(command);
    assert.ok(this.download.active.size <= this.download.options.mostActive, 'memory is bounded');
  }

  #execute(command: DownloadCommand): void {
    if (command.do === 'request') {
      const held = this.owed.get(command.peer);
      if (!held) return;
      const { piece, begin, length } = command;
      const asked = [...held.values()].some(
        (other) =>
          other.piece === piece && other.begin < begin + length && begin < other.begin + other.length,
      );
      assert.ok(!asked, 'a block is asked of a peer once at a time');
      assert.ok(!this.download.have.has(piece), 'nothing is asked that is here');
      const blocks = Math.ceil(length / BLOCK_BYTES);
      assert.ok(blocks >= 1 && blocks <= (this.longest.get(command.peer) ?? 1), 'as long as the peer takes');
      assert.equal(length, Math.min(blocks * BLOCK_BYTES, lengthOf(piece) - begin), 'whole blocks');
      held.set(keyOf(command), command);
    } else if (command.do === 'cancel') this.#cancel(command.peer, keyOf(command));
    else if (command.do === 'verify') this.verifying.push(command.piece);
    else if (command.do === 'drop') {
      this.dropped.push(command);
      if (this.owed.delete(command.peer)) this.apply({ type: 'left', peer: command.peer });
    }
  }

  #cancel(peer: number, key: string): void {
    const held = this.owed.get(peer);
    if (!held) return;
    assert.ok(held.delete(key) || this.#doubtful.get(peer)?.has(key), 'what is cancelled was asked for');
    this.#cancelled.get(peer)?.add(key);
  }

  /** The peer refuses its oldest request. */
  reject(peer: number): void {
    const held = this.owed.get(peer);
    const [first] = held ?? [];
    if (!held || !first) return;
    const [key, request] = first;
    held.delete(key);
    // Asked, cancelled, asked again, refused once: which of the two that was cannot be told (BEP 6 refuses what is cancelled).
    if (this.#cancelled.get(peer)?.has(key)) this.#doubtful.get(peer)?.add(key);
    this.apply({ type: 'rejected', peer, ...request });
  }

  join(
    peer: number,
    pieces: Bitset | number[],
    options: { origin?: boolean; fast?: boolean; blocks?: number } = {},
  ): void {
    const { origin = false, fast = true, blocks = 1 } = options;
    this.owed.set(peer, new Map());
    this.#cancelled.set(peer, new Set());
    this.#doubtful.set(peer, new Set());
    this.apply({ type: 'joined', peer, id: Buffer.from(`-SB0100-${String(peer).padStart(12, '0')}`), fast });
    this.longest.set(peer, blocks);
    if (origin || blocks > 1)
      this.apply({
        type: 'described',
        peer,
        origin,
        requestQueue: 250,
        longestRequest: blocks * BLOCK_BYTES,
      });
    const bits = Array.isArray(pieces) ? new Bitset(PIECES) : pieces;
    if (Array.isArray(pieces)) for (const piece of pieces) bits.add(piece);
    this.apply({ type: 'pieces', peer, pieces: bits });
    this.apply({ type: 'unchoked', peer });
  }

  leave(peer: number): void {
    this.owed.delete(peer);
    this.apply({ type: 'left', peer });
  }

  /** The peer answers its oldest request. */
  answer(peer: number): boolean {
    const held = this.owed.get(peer);
    const [first] = held ?? [];
    if (!held || !first) return false;
    const [key, { piece, begin, length }] = first;
    held.delete(key);
    assert.notEqual(this.download.standing(peer, piece, begin, length), 'unrequested');
    this.apply({ type: 'block', peer, piece, begin, bytes: Buffer.alloc(length, piece) });
    return true;
  }

  /** Everything that waits to be checked is checked. */
  settle(verdict: 'verified' | 'refuted' = 'verified'): void {
    for (const piece of this.verifying.splice(0)) {
      this.apply({ type: verdict, piece, bytes: Buffer.alloc(lengthOf(piece), piece) });
    }
  }

  outstanding(peer: number): number {
    return this.owed.get(peer)?.size ?? 0;
  }

  finish(): void {
    for (let round = 0; round < 5000 && !this.download.have.isFull; round++) {
      let progress = false;
      for (const peer of [...this.owed.keys()]) progress = this.answer(peer) || progress;
      this.settle();
      this.now += progress ? 1 : 250;
      this.apply({ type: 'tick' });
    }
    assert.ok(this.download.have.isFull, 'the download completes');
  }
}
