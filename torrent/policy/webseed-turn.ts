/** Whether a webseed (BEP 19) may be asked now. Peers are preferred: the server should send about one copy in all. */
export interface WebseedTurnInput {
  readonly startedAt: number;
  readonly now: number;
  readonly connectedPeers: number;
  /** A connected peer has everything or says that it is an origin. Without one the webseed is the room's origin. */
  readonly hasSource: boolean;
  /** Addresses or trackers that may still lead to peers. */
  readonly peersExpected: boolean;
  /** When a peer last delivered a block; undefined if none ever did. */
  readonly lastBlockAt: number | undefined;
  /** All peers together. */
  readonly bytesPerSecond: number;
}

/** Peers get this long to connect, and this long to deliver. */
const CONNECT_MS = 1500;
const PROGRESS_MS = 3000;
/** Slower than this counts as no progress: a boot image would take hours. */
const CRAWL_BYTES_PER_SECOND = 32_768;

export function webseedMayHelp(input: WebseedTurnInput): boolean {
  const waited = input.now - input.startedAt;
  if (input.connectedPeers === 0 && input.lastBlockAt === undefined) {
    return !input.peersExpected || waited >= CONNECT_MS;
  }
  // Peers share out what to fetch from it (rendezvous.ts).
  if (!input.hasSource && input.connectedPeers > 0) return true;
  if (waited < PROGRESS_MS) return false;
  const stalled = input.now - (input.lastBlockAt ?? input.startedAt) >= PROGRESS_MS;
  return stalled || input.bytesPerSecond < CRAWL_BYTES_PER_SECOND;
}
