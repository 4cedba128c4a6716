/**
 * How many blocks may be outstanding at one peer.
 *
 * One piece in flight per peer spreads an origin's pieces best (measured: with two, the server sends more and the last
 * machine finishes later), but a single fast pair starves on it. So: one piece, or what the peer delivers in 0.3 s.
 */
export const BLOCK_BYTES = 16384;
const AHEAD_SECONDS = 0.3;
const MOST_BLOCKS = 512;
const FEWEST_BLOCKS = 16;
/** What a peer holds if it does not say (BEP 10 `reqq`); libtorrent's and our own convention. */
export const DEFAULT_REQUEST_QUEUE = 250;

export interface PipelineInput {
  readonly bytesPerSecond: number;
  readonly blocksPerPiece: number;
  /** The peer's `reqq`. */
  readonly requestQueue: number;
  /** It let requests time out: one block at a time until it delivers again. */
  readonly snubbed: boolean;
}

export function pipelineDepth({
  bytesPerSecond,
  blocksPerPiece,
  requestQueue,
  snubbed,
}: PipelineInput): number {
  if (snubbed) return 1;
  const onePiece = Math.min(Math.max(blocksPerPiece, FEWEST_BLOCKS), 2 * DEFAULT_REQUEST_QUEUE);
  const ahead = Math.min(Math.ceil((bytesPerSecond * AHEAD_SECONDS) / BLOCK_BYTES), MOST_BLOCKS);
  return Math.max(1, Math.min(Math.max(onePiece, ahead), requestQueue));
}
