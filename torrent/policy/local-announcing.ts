/**
 * When to speak on the link (BEP 14), and whom to believe. A room of machines is switched on at once, so everything here
 * is about staying few: the first announcement at once, a second soon after for the datagram that was lost, then one
 * every five minutes.
 *
 * A stranger's announcement is answered in two ways. Its address is dialed, which is how a newcomer gets its first peer
 * within milliseconds; where many could do that, each does with a chance that makes it about eight. And it is told of
 * us, for the case that it cannot be reached, unless enough others have spoken by the time that our turn comes.
 *
 * Invariant: in any time T, at most 2 + T / ANSWER_PAUSE_MS announcements are sent.
 */
const REPEAT_MS = 1_000;
/** BEP 14: every five minutes. */
const INTERVAL_MS = 300_000;
/** Without anybody to talk to: as often as BEP 14 allows. */
const LONELY_INTERVAL_MS = 60_000;
const ANSWER_PAUSE_MS = 5_000;
/** Answers wait up to so long, at random, for others to be quicker. */
const ANSWER_SPREAD_MS = 300;
const ENOUGH_VOICES = 3;
/** Of all who hear a newcomer, about so many dial it. */
const DIALERS = 8;

/** What one link may make us do: floods cost a counter. */
const MOST_DATAGRAMS_PER_SECOND = 200;
const MOST_STRANGERS_PER_MINUTE = 200;
/** Several agents on one host are a lab; more are somebody who makes up ports. */
const MOST_PORTS_PER_HOST = 32;
const MOST_REMEMBERED = 2_000;

export class LocalAnnouncing {
  readonly #random: () => number;
  /** When the next announcement is due, in ms. */
  #dueAt: number;
  #sentAt = Number.NEGATIVE_INFINITY;
  #sent = 0;
  /** An answer is under way; others' announcements heard since it was planned. */
  #answering = false;
  #voices = 0;
  /** Host -> ports heard of. */
  readonly #heard = new Map<string, Set<number>>();
  #remembered = 0;
  #second = { at: 0, count: 0 };
  #minute = { at: 0, count: 0 };

  /** `random` is in [0, 1), times are in ms. */
  constructor(options: { readonly startedAt: number; readonly random: () => number }) {
    this.#dueAt = options.startedAt;
    this.#random = options.random;
  }

  get dueAt(): number {
    return this.#dueAt;
  }

  /** May a datagram be looked at, whatever is in it? */
  admits(now: number): boolean {
    if (now - this.#second.at >= 1000) this.#second = { at: now, count: 0 };
    return ++this.#second.count <= MOST_DATAGRAMS_PER_SECOND;
  }

  /**
   * Somebody else announced one of our infohashes. `peers`: how many we are connected with, the best guess at how many
   * others hear the same.
   */
  heard(host: string, port: number, peers: number, now: number): 'dial' | 'leave' {
    if (this.#answering && ++this.#voices >= ENOUGH_VOICES) this.#wait(peers, now);
    if (!this.#isStranger(host, port, now)) return 'leave';
    const answerAt = Math.max(now + this.#random() * ANSWER_SPREAD_MS, this.#sentAt + ANSWER_PAUSE_MS);
    // An answer that comes after the newcomer's own next try helps nobody.
    if (!this.#answering && answerAt < this.#dueAt && answerAt - now < ANSWER_PAUSE_MS / 2) {
      this.#answering = true;
      this.#voices = 0;
      this.#dueAt = answerAt;
    }
    return this.#random() * peers < DIALERS ? 'dial' : 'leave';
  }

  sent(peers: number, now: number): void {
    this.#sentAt = now;
    this.#sent++;
    this.#wait(peers, now);
  }

  #wait(peers: number, now: number): void {
    this.#answering = false;
    const interval = peers > 0 ? INTERVAL_MS : LONELY_INTERVAL_MS;
    // Machines that were switched on together shall not speak together for ever.
    this.#dueAt = this.#sent === 1 ? this.#sentAt + REPEAT_MS : now + interval * (0.9 + this.#random() / 5);
  }

  #isStranger(host: string, port: number, now: number): boolean {
    const ports = this.#heard.get(host) ?? new Set();
    if (ports.has(port) || ports.size >= MOST_PORTS_PER_HOST) return false;
    if (now - this.#minute.at >= 60_000) this.#minute = { at: now, count: 0 };
    if (++this.#minute.count > MOST_STRANGERS_PER_MINUTE) return false;
    if (this.#remembered >= MOST_REMEMBERED) {
      this.#heard.clear();
      this.#remembered = 0;
    }
    ports.add(port);
    this.#heard.set(host, ports);
    this.#remembered++;
    return true;
  }
}
