/**
 * What becomes of a piece whose blocks are all here: hashed, written once, then believed.
 *
 * Invariant: nothing is written that was not hashed, nothing is reported as stored that was not written.
 */
import type { Store } from '../store.ts';
import type { HashThread } from './hash-thread.ts';
import type { SwarmShape } from './shape.ts';

export interface ArrivedFrom {
  /** Addresses of peers, or the URL of a webseed. */
  readonly sources: readonly string[];
  readonly fromWebseed: boolean;
}

export interface ArrivalsOptions {
  readonly store: Store;
  readonly shape: SwarmShape;
  readonly hashes: Pick<HashThread, 'check'>;
  readonly refuted: (piece: number, bytes: Uint8Array, sources: readonly string[]) => void;
  readonly stored: (piece: number, bytes: Uint8Array, from: ArrivedFrom) => void;
  /** The piece is to be fetched again. `hopeless`: writing has failed several times in a row. */
  readonly failed: (piece: number, error: Error, hopeless: boolean) => void;
}

const MOST_FAILURES = 3;

export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #writes = new Set<Promise<unknown>>();
  #failures = 0;
  #closed = false;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** `bad` if the hash is wrong. `bytes` must not change meanwhile. Never rejects. */
  async take(piece: number, bytes: Buffer, from: ArrivedFrom): Promise<'ok' | 'bad'> {
    const { store, shape, hashes, refuted, stored, failed } = this.#options;
    const verdict = await hashes.check(piece, bytes);
    if (this.#closed) return 'ok';
    if (verdict === 'bad') {
      refuted(piece, bytes, from.sources);
      return 'bad';
    }
    const write = store.write(piece * shape.pieceLength, bytes);
    this.#writes.add(write);
    try {
      await write;
    } catch (error) {
      if (!this.#closed) failed(piece, error as Error, ++this.#failures >= MOST_FAILURES);
      return 'ok';
    } finally {
      this.#writes.delete(write);
    }
    this.#failures = 0;
    if (!this.#closed) stored(piece, bytes, from);
    return 'ok';
  }

  /** Nothing is reported from here on; resolves when no write is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#writes);
  }
}
