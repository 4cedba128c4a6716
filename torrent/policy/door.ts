/**
 * Who may come in when places are few, and who leaves for it. Pure: the room tells who is there.
 *
 * One host gets a few connections only; strangers that do not shake hands give way to those that still may; and of those
 * that did, one that neither gives nor takes gives way to a newcomer, or one that is drawn by lot. On loopback all peers
 * share a host, so nothing is counted there.
 */
import { isLoopback } from './peer-book.ts';

/** A connection, as the door sees it. Times in ms. */
export interface Guest {
  readonly host: string;
  readonly isOpen: boolean;
  /** The other side came to us. */
  readonly cameIn: boolean;
  /** It says that it is where the image comes from. */
  readonly isOrigin: boolean;
  readonly since: number;
  /** When the last block went one way or the other; `since` if none did. */
  readonly usefulAt: number;
}

/** More than one: two machines behind one address, and a connection that is replaced by another. */
export const MOST_PER_HOST = 8;
/** A handshake takes milliseconds; whoever has not sent it by then may lose the place to the next one. */
const HANDSHAKE_GRACE_MS = 1000;
/** Neither gave nor took for so long: it has what it wants, or wants nothing. */
const USELESS_MS = 30_000;

export function isHostFull(host: string, guests: Iterable<Guest>): boolean {
  if (isLoopback(host)) return false;
  let count = 0;
  for (const guest of guests) if (guest.host === host) count++;
  return count >= MOST_PER_HOST;
}

/** Whoever has been shaking hands for longest, if that is too long; undefined: nobody has to go. */
export function slowestToShakeHands<T extends Guest>(guests: Iterable<T>, now: number): T | undefined {
  let slowest: T | undefined;
  for (const guest of guests) {
    if (guest.isOpen || !guest.cameIn || now - guest.since < HANDSHAKE_GRACE_MS) continue;
    if (!slowest || guest.since < slowest.since) slowest = guest;
  }
  return slowest;
}

/**
 * Whoever has been of no use for longest, if that is long; undefined: all earn their place. Origins too: anybody can say
 * that it is one, and keep a place by that.
 */
export function leastUseful<T extends Guest>(guests: Iterable<T>, now: number): T | undefined {
  let least: T | undefined;
  for (const guest of guests) {
    if (!guest.isOpen || now - guest.usefulAt < USELESS_MS) continue;
    if (!least || guest.usefulAt < least.usefulAt) least = guest;
  }
  return least;
}

/** One of those who are open, by lot, but no origin: without it, a piece that no peer has could not be had. */
export function drawnByLot<T extends Guest>(guests: Iterable<T>, random: () => number): T | undefined {
  const drawn = [...guests].filter(({ isOpen, isOrigin }) => isOpen && !isOrigin);
  return drawn[Math.floor(random() * drawn.length)];
}
