/** Peers tell each other of peers: BEP 11 with everybody, the same quicker between our own agents. */
import { isLinkLocalV6 } from '../discovery/compact-endpoints.ts';
import { formatPeerExchange, PEER_FLAG, parsePeerExchange } from '../discovery/peer-exchange-message.ts';
import type { Endpoint } from '../endpoint.ts';
import { type ExchangeKind, type ExchangeMessage, PeerExchangePlan } from '../policy/peer-exchange.ts';
import type { PeerConnection } from '../wire/peer-connection.ts';

export interface PeerExchangeOptions {
  /** Open connections by key. */
  readonly peers: ReadonlyMap<number, PeerConnection>;
  /** Whether a peer has every piece. */
  readonly isSeed: (key: number) => boolean;
  /** Whether we have every piece: seeds have no use for seeds. */
  readonly seeding: () => boolean;
  readonly onPeers: (endpoints: readonly Endpoint[]) => void;
  readonly now: () => number;
}

const kindOf = ({ description }: PeerConnection): ExchangeKind | undefined => {
  if (!description) return undefined;
  if (description.quickExchangeId > 0) return 'quick';
  return description.exchangeId > 0 ? 'standard' : undefined;
};

export class PeerExchange {
  readonly #options: PeerExchangeOptions;
  readonly #plan = new PeerExchangePlan();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PeerExchangeOptions) {
    this.#options = options;
  }

  /** A peer joined, or described itself, or was found to listen somewhere. */
  met(peer: PeerConnection): void {
    const { listensAt: endpoint, remote } = peer;
    this.#plan.met(peer.key, { remote, endpoint, kind: kindOf(peer) }, this.#options.now());
    this.#schedule();
  }

  left(peer: PeerConnection): void {
    this.#plan.left(peer.key, this.#options.now());
    this.#schedule();
  }

  /** A message came. Returns why the peer must go, if it must. */
  received(peer: PeerConnection, payload: Buffer): string | undefined {
    const { now, seeding, onPeers } = this.#options;
    const message = parsePeerExchange(payload);
    if (typeof message === 'string') return message;
    const scope = peer.remote.host.split('%')[1];
    const wanted = seeding()
      ? message.added.filter(({ flags }) => (flags & PEER_FLAG.seed) === 0)
      : message.added;
    const admitted = wanted.slice(0, this.#plan.admit(peer.key, wanted.length, now()));
    const endpoints = admitted.flatMap(({ endpoint: { host, port } }) => {
      // Compact addresses have no scope: it is the link by which we heard of them.
      if (isLinkLocalV6(host)) return scope === undefined ? [] : [{ host: `${host}%${scope}`, port }];
      return [{ host, port }];
    });
    if (endpoints.length > 0) onPeers(endpoints);
    return undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { dueAt } = this.#plan;
    if (dueAt === undefined || this.#closed) return;
    this.#timer = setTimeout(() => this.#tell(), Math.max(0, Math.ceil(dueAt - this.#options.now())));
    this.#timer.unref();
  }

  #tell(): void {
    for (const message of this.#plan.take(this.#options.now())) this.#send(message);
    this.#schedule();
  }

  #send({ to, kind, added, dropped }: ExchangeMessage): void {
    const peer = this.#options.peers.get(to);
    if (!peer?.description) return;
    const { quickExchangeId, exchangeId } = peer.description;
    const payload = formatPeerExchange({
      added: added.map(({ key, endpoint }) => ({ endpoint, flags: this.#flagsOf(key, kind) })),
      dropped,
    });
    peer.wire.extended(kind === 'quick' ? quickExchangeId : exchangeId, payload);
  }

  #flagsOf(key: number, kind: ExchangeKind): number {
    const peer = this.#options.peers.get(key);
    if (!peer) return 0;
    return (
      (this.#options.isSeed(key) ? PEER_FLAG.seed : 0) |
      (peer.direction === 'out' ? PEER_FLAG.reachable : 0) |
      (kind === 'quick' && peer.description?.origin ? PEER_FLAG.origin : 0)
    );
  }
}
