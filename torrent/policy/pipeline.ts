/**
 * How many blocks may be outstanding at one peer.
 *
 * One piece in flight per peer spreads an origin's pieces best (measured: with two, the server sends more and the last
 * machine finishes later), but a single fast pair starves on it. So: one piece, or what the peer delivers in 0.3 s.
 */
export const BLOCK_BYTES = 16384;
const AHEAD_SECONDS = 0.3;
const MOST_BLOCKS = 512;
/** One request covers what the peer delivers in this time: it can be cancelled only as a whole. */
const REQUEST_SECONDS = 0.005;
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

/**
 * How many blocks to ask one peer for in one request, of the `most` that it takes. A message per block is what a fast
 * transfer costs; a slow peer is asked block by block, so that nothing long is on its way when plans change.
 */
export function blocksPerRequest(bytesPerSecond: number, most: number): number {
  return Math.max(1, Math.min(Math.floor((bytesPerSecond * REQUEST_SECONDS) / BLOCK_BYTES), most));
}
