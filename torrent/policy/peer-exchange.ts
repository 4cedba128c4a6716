/**
 * Who is told of whom, and when. Our own agents are told soon and in small batches; others as BEP 11 has it: once a
 * minute, fifty at most. Whoever is told of a peer is told once, and once that it is gone.
 *
 * Invariant: at most one message to an agent of ours in BATCH_MS, to others in STANDARD_PAUSE_MS.
 */
import { type Endpoint, formatEndpoint } from '../endpoint.ts';

/** `quick`: agents of ours (`sb_peers`); `standard`: BEP 11. */
export type ExchangeKind = 'quick' | 'standard';

export interface ExchangeMessage {
  readonly to: number;
  readonly kind: ExchangeKind;
  readonly added: readonly { readonly key: number; readonly endpoint: Endpoint }[];
  readonly dropped: readonly Endpoint[];
}

const BATCH_MS = 150;
const STANDARD_FIRST_MS = 1_000;
const STANDARD_PAUSE_MS = 60_000;
/** BEP 11, and enough for anybody. */
const MOST_IN_MESSAGE = 50;
/** Addresses that one peer may tell us: so many at once, and so many a second. Liars waste our dials with each. */
const ALLOWANCE = 200;
const ALLOWANCE_PER_SECOND = { quick: 5, standard: 1 } as const;

export interface ExchangeMember {
  /** The other end of the connection. */
  readonly remote: Endpoint;
  /** Where it listens, if that is known: others are told of it. */
  readonly endpoint: Endpoint | undefined;
  /** undefined: it does not want to be told. */
  readonly kind: ExchangeKind | undefined;
}

interface Member {
  readonly remote: Endpoint;
  /** Where it listens, if that is known. */
  endpoint: Endpoint | undefined;
  kind: ExchangeKind | undefined;
  /** Not before: in ms. */
  mayTellAt: number;
  /** What it was told and not taken back yet. */
  readonly told: Map<string, Endpoint>;
  /** There may be something to tell. */
  stale: boolean;
  allowance: number;
  allowanceAt: number;
}

const scopeOf = (host: string): string | undefined => host.split('%')[1];
const isLocal = (host: string): boolean => host.startsWith('127.') || host === '::1';

/**
 * Whether an address that is good here is good there. Loopback ends at the machine, link-local IPv6 addresses at the
 * link: only peers that we reach the same way can use them.
 */
function isOfUse({ host }: Endpoint, to: Endpoint): boolean {
  if (isLocal(host)) return isLocal(to.host);
  const scope = scopeOf(host);
  return scope === undefined || scope === scopeOf(to.host);
}

export class PeerExchangePlan {
  readonly #members = new Map<number, Member>();

  /** A peer is here, or more is known of it. */
  met(key: number, { remote, endpoint, kind }: ExchangeMember, now: number): void {
    const before = this.#members.get(key);
    const firstAt = now + (kind === 'quick' ? 0 : STANDARD_FIRST_MS);
    if (before) {
      if (before.kind !== kind) before.mayTellAt = Math.max(before.mayTellAt, firstAt);
      before.kind = kind;
      before.endpoint = endpoint;
    } else {
      this.#members.set(key, {
        ...{ remote, endpoint, kind },
        mayTellAt: kind ? firstAt : now,
        told: new Map(),
        stale: true,
        allowance: ALLOWANCE,
        allowanceAt: now,
      });
    }
    this.#changed(now);
  }

  left(key: number, now: number): void {
    if (this.#members.delete(key)) this.#changed(now);
  }

  /** How many of `count` addresses that a peer tells are to be believed. */
  admit(key: number, count: number, now: number): number {
    const member = this.#members.get(key);
    if (!member?.kind) return 0;
    const earned = ((now - member.allowanceAt) / 1000) * ALLOWANCE_PER_SECOND[member.kind];
    member.allowance = Math.min(ALLOWANCE, member.allowance + earned);
    member.allowanceAt = now;
    const admitted = Math.min(count, Math.floor(member.allowance));
    member.allowance -= admitted;
    return admitted;
  }

  /** When `take` has something to say, in ms; undefined: not before something happens. */
  get dueAt(): number | undefined {
    let due: number | undefined;
    for (const { kind, stale, mayTellAt } of this.#members.values()) {
      if (kind && stale && (due === undefined || mayTellAt < due)) due = mayTellAt;
    }
    return due;
  }

  /** The messages that are due; they count as sent. */
  take(now: number): ExchangeMessage[] {
    const messages: ExchangeMessage[] = [];
    for (const [to, member] of this.#members) {
      if (!member.kind || !member.stale || member.mayTellAt > now) continue;
      const message = this.#messageFor(to, member, member.kind);
      if (!message) continue;
      member.mayTellAt = now + (member.kind === 'quick' ? BATCH_MS : STANDARD_PAUSE_MS);
      messages.push(message);
    }
    return messages;
  }

  #messageFor(to: number, member: Member, kind: ExchangeKind): ExchangeMessage | undefined {
    member.stale = false;
    const { remote, told } = member;
    const added: { key: number; endpoint: Endpoint }[] = [];
    const here = new Set<string>();
    for (const [key, { endpoint }] of this.#members) {
      if (key === to || !endpoint || !isOfUse(endpoint, remote)) continue;
      const name = formatEndpoint(endpoint);
      here.add(name);
      if (told.has(name)) continue;
      if (added.length === MOST_IN_MESSAGE) {
        member.stale = true;
        continue;
      }
      told.set(name, endpoint);
      added.push({ key, endpoint });
    }
    const dropped: Endpoint[] = [];
    for (const [name, endpoint] of told) {
      if (here.has(name) || dropped.length === MOST_IN_MESSAGE) continue;
      told.delete(name);
      dropped.push(endpoint);
    }
    return added.length + dropped.length === 0 ? undefined : { to, kind, added, dropped };
  }

  /** Everybody else is to hear of it, after a moment for what happens next. */
  #changed(now: number): void {
    for (const member of this.#members.values()) {
      if (member.stale) continue;
      member.stale = true;
      member.mayTellAt = Math.max(member.mayTellAt, now + BATCH_MS);
    }
  }
}
