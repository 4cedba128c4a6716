/**
 * How many blocks may be outstanding at one peer, found out by measuring how long they take.
 *
 * Requests wait in the peer's socket buffer and on its link behind those of others, where they can neither be recalled nor
 * overtaken. Blocks that come at once mean that the peer can send more: the window grows, at first with every block, later
 * by one for each window. Blocks that took longer than `DELAY_MS` mean that deeper requests only wait longer: it shrinks.
 * So a link always has something to send, but no more than a tenth of a second of it.
 *
 * A machine whose own uplink is full waits longer for everything: its requests and acknowledgements queue behind what it
 * gives. A window that shrank for that without a bottom would starve it in the middle of plenty (docs/swarm-policy.md). What
 * bridges an uplink's queue of 50 ms, twice over, is 60 blocks at 50 Mbit/s: eight for each of eight peers. The bottoms of all
 * peers together are what a new piece waits behind at each of its hops, so with ten and more it is half of that.
 *
 * Beyond 2 MiB, delay of a few ms is our own doing: a peer on the same switch answers at once, and a longer queue at it only
 * drives pieces out of both sides' processor caches. A window that large grows only
 * while blocks take no longer than the way itself, which is what the quickest took.
 *
 * Few blocks for each of many peers also keep shares fair: windows that follow a peer's rate would give most to who
 * has most already (simulated: the unluckiest of 16 machines was 8 per cent late for it).
 */
export const BLOCK_BYTES = 16384;
const DELAY_MS = 100;
/** Sooner than this: nothing waited. */
const PROMPT_MS = DELAY_MS / 4;
const SHRINK = 0.25;
/** Who has so many is in a room that may be larger than it sees. */
const MANY_PEERS = 10;
const FEWEST_BLOCKS_OF_MANY = 4;
const FEWEST_BLOCKS = 2 * FEWEST_BLOCKS_OF_MANY;
const MOST_BLOCKS = 512;
/** More than this only for a long way: see above. */
const PLENTY_BLOCKS = 128;
/** A block that took twice as long as the quickest one, and this, waited behind others. */
const WAITED_MS = 2;
/** One request covers what the peer delivers in this time: it can be cancelled only as a whole. */
const REQUEST_SECONDS = 0.005;
/** What a peer holds if it does not say (BEP 10 `reqq`); libtorrent's and our own convention. */
export const DEFAULT_REQUEST_QUEUE = 250;

/**
 * The bottom of each window, in blocks. Two steps and no slope: who keeps more outstanding than its neighbours takes from
 * them, and a swarm is as late as its last machine.
 */
export const fewestBlocks = (peers: number): number =>
  peers < MANY_PEERS ? FEWEST_BLOCKS : FEWEST_BLOCKS_OF_MANY;

/**
 * What part of a window is asked for anew at once. Half of a large one lasts longer than any way through a house, and a write
 * costs as much as several blocks; a small one must not come near to its end.
 */
export const refillShare = (depth: number): number => (depth >= PLENTY_BLOCKS ? 1 / 2 : 1 / 4);

export class RequestWindow {
  #blocks = FEWEST_BLOCKS_OF_MANY;
  #quickestMs = Number.POSITIVE_INFINITY;

  /** A block came, so many ms after it was asked for. `fewest`: see `fewestBlocks`. */
  arrived(delayMs: number, fewest: number): void {
    this.#quickestMs = Math.min(this.#quickestMs, delayMs);
    const waited = delayMs > 2 * this.#quickestMs + WAITED_MS;
    if (waited && this.#blocks >= PLENTY_BLOCKS && delayMs < DELAY_MS) return;
    if (delayMs < PROMPT_MS) this.#blocks++;
    else if (delayMs < DELAY_MS) this.#blocks += 1 / this.#blocks;
    else this.#blocks -= SHRINK;
    this.#blocks = Math.min(Math.max(this.#blocks, fewest), MOST_BLOCKS);
  }

  /** Blocks that may be outstanding. */
  depth({ requestQueue, snubbed }: { readonly requestQueue: number; readonly snubbed: boolean }): number {
    // It let requests time out: one block at a time until it delivers again.
    return snubbed ? 1 : Math.max(1, Math.min(Math.floor(this.#blocks), requestQueue));
  }
}

/**
 * How many blocks to ask one peer for in one request, of the `most` that it takes. A message per block is what a fast
 * transfer costs; a slow peer is asked block by block, so that nothing long is on its way when plans change.
 */
export function blocksPerRequest(bytesPerSecond: number, most: number): number {
  return Math.max(1, Math.min(Math.floor((bytesPerSecond * REQUEST_SECONDS) / BLOCK_BYTES), most));
}
