/**
 * Who sent the bad block? A piece with one source names it at once. With several, the digest of each block is kept, the
 * piece is fetched again from a single source, and the blocks that turn out different name their senders.
 */
import { hash } from 'node:crypto';
import type { PeerKey } from './active-piece.ts';
import { BLOCK_BYTES } from './pipeline.ts';

interface BlockRecord {
  readonly source: PeerKey;
  readonly digest: string;
}

const digestsOf = (bytes: Uint8Array): string[] => {
  const digests: string[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    digests.push(hash('sha256', bytes.subarray(at, at + BLOCK_BYTES), 'base64'));
  }
  return digests;
};

export class Suspects {
  readonly #records = new Map<number, BlockRecord[][]>();

  /** The piece failed before with several sources: its next copy must come from one. */
  mustBeSingle(piece: number): boolean {
    return this.#records.has(piece);
  }

  /** Returns the culprits that are certain already. */
  failed(piece: number, sources: readonly PeerKey[], bytes: Uint8Array): PeerKey[] {
    const distinct = [...new Set(sources)];
    if (distinct.length === 1) return distinct;
    const digests = digestsOf(bytes);
    const attempt = digests.map((digest, block) => ({ source: sources[block]!, digest }));
    this.#records.set(piece, [...(this.#records.get(piece) ?? []), attempt]);
    return [];
  }

  /** A copy was found good: returns everyone who had sent a different block before. */
  verified(piece: number, bytes: Uint8Array): PeerKey[] {
    const attempts = this.#records.get(piece);
    if (!attempts) return [];
    this.#records.delete(piece);
    const good = digestsOf(bytes);
    const culprits = new Set<PeerKey>();
    for (const attempt of attempts) {
      attempt.forEach(({ source, digest }, block) => {
        if (digest !== good[block]) culprits.add(source);
      });
    }
    return [...culprits];
  }
}
