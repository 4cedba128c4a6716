/**
 * Reads for uploads from a store that nobody vouches for.
 *
 * Invariant: a read that succeeds has filled `target` with bytes that the metainfo's hashes promise. A piece whose read
 * failed is no longer in `offered`, so that it is neither announced to new peers nor read again.
 */
import type { Metainfo } from '../metainfo-model.ts';
import { checkPiece } from '../piece-check.ts';
import type { Bitset } from '../policy/bitset.ts';
import type { Store } from '../store.ts';

export interface CheckedReadsOptions {
  readonly metainfo: Metainfo;
  readonly store: Pick<Store, 'read'>;
  readonly offered: Bitset;
  /** Once for each piece. */
  readonly withdrawn: (piece: number, reason: string) => void;
}

/** Reads whole pieces for `PieceCache`; rejects where the piece must not be sent. */
export function checkedReads(options: CheckedReadsOptions): (piece: number, target: Buffer) => Promise<void> {
  const { metainfo, store, offered, withdrawn } = options;
  const withdraw = (piece: number, reason: string): Error => {
    if (offered.delete(piece)) withdrawn(piece, reason);
    return new Error(reason);
  };
  return async (piece, target) => {
    try {
      await store.read(piece * metainfo.pieceLength, target);
    } catch (error) {
      throw withdraw(piece, (error as Error).message);
    }
    // On this thread: at the rate of a seed that has its limits it is 1 % of a processor, and a thread costs memory.
    if (checkPiece(metainfo, piece, target) === 'bad')
      throw withdraw(piece, `Piece ${piece} does not have the bytes that were signed`);
  };
}
