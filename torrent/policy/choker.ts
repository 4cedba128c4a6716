/**
 * Whom to unchoke (BEP 3, generous for a LAN).
 *
 * Every 10 s the slots are dealt anew: a leecher gives them to the interested peers that deliver most, a seed in turns
 * (who has waited longest first). One slot more is optimistic and moves every 30 s. A peer that becomes interested while
 * slots are free is unchoked at once: a booting machine must not wait for the next round.
 */
export interface ChokerPeer {
  readonly key: number;
  readonly interested: boolean;
  readonly unchoked: boolean;
  /** What it sends us. */
  readonly bytesPerSecond: number;
}

export interface ChokerInput {
  readonly seeding: boolean;
  readonly slots: number;
  readonly random: () => number;
}

export interface ChokerDecision {
  readonly unchoke: readonly number[];
  readonly choke: readonly number[];
}

const ROUND_MS = 10_000;
const OPTIMISTIC_MS = 30_000;

export class Choker {
  #lastRound = Number.NEGATIVE_INFINITY;
  #lastOptimistic = Number.NEGATIVE_INFINITY;
  #optimistic: number | undefined;
  /** When each peer was last unchoked, for the seed's turns. */
  readonly #unchokedAt = new Map<number, number>();

  forget(key: number): void {
    this.#unchokedAt.delete(key);
    if (this.#optimistic === key) this.#optimistic = undefined;
  }

  decide(peers: readonly ChokerPeer[], { seeding, slots, random }: ChokerInput, now: number): ChokerDecision {
    const interested = peers.filter((peer) => peer.interested);
    const wanted =
      interested.length <= slots
        ? new Set(interested.map((peer) => peer.key))
        : now - this.#lastRound >= ROUND_MS
          ? this.#deal(interested, seeding, slots, random, now)
          : this.#keep(interested, slots);
    const unchoke = peers.filter((peer) => wanted.has(peer.key) && !peer.unchoked).map((peer) => peer.key);
    // A peer that wants nothing keeps its unchoke while there is room: it may want something a moment later.
    const choke = peers
      .filter(
        (peer) => peer.unchoked && !wanted.has(peer.key) && (peer.interested || interested.length > slots),
      )
      .map((peer) => peer.key);
    for (const key of unchoke) this.#unchokedAt.set(key, now);
    return { unchoke, choke };
  }

  /** Between rounds: those who have a slot keep it, free slots go to whoever comes. */
  #keep(interested: readonly ChokerPeer[], slots: number): Set<number> {
    const wanted = new Set(interested.filter((peer) => peer.unchoked).map((peer) => peer.key));
    for (const peer of interested) if (wanted.size < slots) wanted.add(peer.key);
    return wanted;
  }

  #deal(
    interested: readonly ChokerPeer[],
    seeding: boolean,
    slots: number,
    random: () => number,
    now: number,
  ): Set<number> {
    this.#lastRound = now;
    const luck = new Map(interested.map((peer) => [peer.key, random()]));
    const since = (peer: ChokerPeer): number => this.#unchokedAt.get(peer.key) ?? Number.NEGATIVE_INFINITY;
    const ranked = interested.toSorted((a, b) => {
      const merit = seeding
        ? Number(since(a) > since(b)) - Number(since(a) < since(b))
        : b.bytesPerSecond - a.bytesPerSecond;
      return merit || luck.get(a.key)! - luck.get(b.key)!;
    });
    const regular = Math.max(1, slots - 1);
    const wanted = new Set(ranked.slice(0, regular).map((peer) => peer.key));
    if (slots > regular) wanted.add(this.#chooseOptimistic(ranked.slice(regular), random, now));
    // In turns: whoever keeps its slot for another round goes to the end of the line.
    if (seeding) for (const key of wanted) this.#unchokedAt.set(key, now);
    return wanted;
  }

  #chooseOptimistic(rest: readonly ChokerPeer[], random: () => number, now: number): number {
    const held = rest.find((peer) => peer.key === this.#optimistic);
    if (held && now - this.#lastOptimistic < OPTIMISTIC_MS) return held.key;
    this.#lastOptimistic = now;
    this.#optimistic = rest[Math.floor(random() * rest.length)]!.key;
    return this.#optimistic;
  }
}
