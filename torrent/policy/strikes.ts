/**
 * Hosts that break the protocol again and again. One breach may be a bug and ends one connection; five within a minute
 * keep the host out for a while, so that it cannot go on breaking in for ever. Pure: the clock comes in.
 *
 * Invariant: at most `MOST_HOSTS` are remembered; the one that was quiet longest is forgotten first.
 */
export const MOST_STRIKES = 5;
const WINDOW_MS = 60_000;
/** Not for good, as for wrong data: addresses change hands, and bugs are mended. */
const OUT_MS = 600_000;
const MOST_HOSTS = 1024;

/** Ends of connections that say nothing against the other side. All other reasons are breaches of the protocol. */
const BLAMELESS = new Set([
  'closed-by-peer',
  'idle',
  'connect-timeout',
  // Clients that would rather speak encrypted try that first, each time.
  'not-bittorrent',
  'duplicate',
  'self',
  'banned',
  'full',
  'gave-way',
  'host-full',
  'swarm-closed',
  'both-complete',
  'unresponsive',
  'refuses-everything',
  'other-torrent',
  'does-not-read',
  'no-metadata',
  'late-handshake',
  'metadata-timeout',
  'metadata-refused',
]);
const isBreach = (reason: string): boolean => !BLAMELESS.has(reason) && !reason.startsWith('socket-');

interface Record {
  strikes: number;
  since: number;
  outUntil: number;
}

export class Strikes {
  /** In order of the last strike. */
  readonly #hosts = new Map<string, Record>();

  /** A connection of `host` ended. True if that was one breach too many: the host is out. */
  ended(host: string, reason: string, now: number): boolean {
    if (!isBreach(reason)) return false;
    const old = this.#hosts.get(host);
    const record = old && now - old.since < WINDOW_MS ? old : { strikes: 0, since: now, outUntil: 0 };
    record.strikes++;
    this.#hosts.delete(host);
    this.#hosts.set(host, record);
    const [quietest] = this.#hosts.keys();
    if (this.#hosts.size > MOST_HOSTS) this.#hosts.delete(quietest!);
    if (record.strikes < MOST_STRIKES || record.outUntil > now) return false;
    record.outUntil = now + OUT_MS;
    return true;
  }

  isOut(host: string, now: number): boolean {
    const record = this.#hosts.get(host);
    return record !== undefined && record.outUntil > now;
  }
}
