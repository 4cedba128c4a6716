/**
 * Every peer address this machine has heard of: when to dial it, and whom never to speak to again.
 *
 * Per address: known -> dialing -> connected -> known (after a pause that doubles from 1 s to 60 s), or out for good:
 * `self` (our own listener) or banned. Bans hold for the peer id and for the host; on loopback, where every peer shares
 * one host, for host and port.
 */
import { type Endpoint, formatEndpoint } from '../endpoint.ts';

const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 60_000;
/** A tracker or a peer may tell us endless addresses. */
const MOST_ADDRESSES = 2000;

/** Of so many that are dialed one is not near, if there are others: subnets must not become swarms of their own. */
const FAR_EVERY = 4;

type State = 'known' | 'dialing' | 'connected' | 'self';

interface Entry {
  readonly endpoint: Endpoint;
  state: State;
  failures: number;
  notBefore: number;
}

export const isLoopback = (host: string): boolean =>
  host.startsWith('127.') || host === '::1' || host === 'localhost';

export class PeerBook {
  readonly #entries = new Map<string, Entry>();
  readonly #bannedHosts = new Set<string>();
  readonly #bannedIds = new Set<string>();
  readonly #isNear: (host: string) => boolean;
  #bans = 0;

  /** `isNear`: the host is on a link of ours. Default: all are the same. */
  constructor(isNear: (host: string) => boolean = () => false) {
    this.#isNear = isNear;
  }

  /** Peers banned so far. */
  get banCount(): number {
    return this.#bans;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(endpoints: readonly Endpoint[], now: number): void {
    for (const endpoint of endpoints) {
      if (endpoint.port <= 0) continue;
      const key = formatEndpoint(endpoint);
      if (this.#entries.has(key)) continue;
      if (this.#entries.size >= MOST_ADDRESSES && !this.#forgetWorst()) continue;
      this.#entries.set(key, { endpoint, state: 'known', failures: 0, notBefore: now });
    }
  }

  /**
   * Up to `most` addresses to dial now, those that failed least first, near ones before others; they count as dialing from
   * here on.
   */
  take(most: number, now: number): Endpoint[] {
    const due = [...this.#entries.values()].filter(
      (entry) => entry.state === 'known' && entry.notBefore <= now && !this.isBannedAddress(entry.endpoint),
    );
    // Many dead addresses are easily told: the one that answers must not wait until all were tried again.
    due.sort((a, b) => a.failures - b.failures);
    const taken = this.#nearFirst(due, most);
    for (const entry of taken) entry.state = 'dialing';
    return taken.map(({ endpoint }) => endpoint);
  }

  /** `due` by failures; the order among equals is kept. */
  #nearFirst(due: readonly Entry[], most: number): Entry[] {
    const { near = [], far = [] } = Object.groupBy(due, ({ endpoint }) =>
      this.#isNear(endpoint.host) ? 'near' : 'far',
    );
    const taken: Entry[] = [];
    while (taken.length < most) {
      const [nearest, farthest] = [near[0], far[0]];
      const turnOfFar = (taken.length + 1) % FAR_EVERY === 0;
      const takesFar =
        farthest !== undefined &&
        (nearest === undefined ||
          farthest.failures < nearest.failures ||
          (turnOfFar && farthest.failures === nearest.failures));
      const next = takesFar ? far.shift() : near.shift();
      if (!next) break;
      taken.push(next);
    }
    return taken;
  }

  /** Makes room for an address that may be better. False if none has failed yet. */
  #forgetWorst(): boolean {
    let worst: [string, Entry] | undefined;
    for (const pair of this.#entries)
      if (pair[1].state === 'known' && pair[1].failures > (worst?.[1].failures ?? 0)) worst = pair;
    if (worst) this.#entries.delete(worst[0]);
    return worst !== undefined;
  }

  connected(endpoint: Endpoint): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (!entry || entry.state === 'self') return;
    entry.state = 'connected';
  }

  /** The handshake showed our own peer id. */
  foundSelf(endpoint: Endpoint): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (entry) entry.state = 'self';
  }

  /** The connection or the attempt ended; `useful` ones (bytes flowed) start over with the shortest pause. */
  ended(endpoint: Endpoint, useful: boolean, now: number, random: () => number): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (!entry || entry.state === 'self') return;
    entry.state = 'known';
    entry.failures = useful ? 1 : entry.failures + 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (entry.failures - 1), LAST_PAUSE_MS);
    // Up to half of it again at random: a room that was cut off together must not come back together.
    entry.notBefore = now + pause * (1 + random() / 2);
  }

  /** Not worth a connection for `ms`: the peer has nothing for us and wants nothing. */
  pause(endpoint: Endpoint, ms: number, now: number): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (entry) entry.notBefore = Math.max(entry.notBefore, now + ms);
  }

  /** False if it was banned before: several pieces of one liar may be refuted after each other. */
  ban(endpoint: Endpoint, peerId: string | undefined): boolean {
    if (this.isBannedAddress(endpoint) && (peerId === undefined || this.isBannedId(peerId))) return false;
    this.#bans++;
    this.#bannedHosts.add(this.#banKey(endpoint));
    if (peerId !== undefined) this.#bannedIds.add(peerId);
    return true;
  }

  isBannedAddress(endpoint: Endpoint): boolean {
    return this.#bannedHosts.has(this.#banKey(endpoint));
  }

  isBannedId(peerId: string): boolean {
    return this.#bannedIds.has(peerId);
  }

  #banKey(endpoint: Endpoint): string {
    return isLoopback(endpoint.host) ? formatEndpoint(endpoint) : endpoint.host;
  }
}

/**
 * Two peers may dial each other at once. Both sides must close the same connection of the two: the one dialed by the
 * larger peer id goes. `ids` are hex.
 */
export function keepsNewConnection(input: {
  readonly ownId: string;
  readonly peerId: string;
  readonly newIsOutgoing: boolean;
  readonly oldIsOutgoing: boolean;
}): boolean {
  if (input.newIsOutgoing === input.oldIsOutgoing) return false;
  return input.ownId < input.peerId === input.newIsOutgoing;
}
