/**
 * The giving half of a simulated machine, as torrent/swarm/seeding.ts is of a real one: requests into turns, interest into the
 * choker, blocks out, and what an origin shows.
 */
import type { Bitset } from '../../torrent/policy/bitset.ts';
import { Choker } from '../../torrent/policy/choker.ts';
import type { Download } from '../../torrent/policy/download.ts';
import { Rate } from '../../torrent/policy/rate.ts';
import { SuperSeeding } from '../../torrent/policy/super-seeding.ts';
import { type UploadRequest, UploadTurns } from '../../torrent/policy/upload-turns.ts';
import type { Connection } from './connection.ts';
import type { MachineOptions } from './machine-options.ts';
import { about, bare, block, have } from './messages.ts';

export class Giving {
  /** Block payload given to connections, in bytes. */
  uploaded = 0;
  /** The same by receiver's name. */
  readonly given = new Map<number, number>();
  readonly #options: MachineOptions;
  /** What may be given. */
  readonly #have: Bitset;
  readonly #connections: ReadonlyMap<number, Connection>;
  readonly #choker = new Choker();
  readonly #turns: UploadTurns<Connection>;
  readonly #superSeeding: SuperSeeding | undefined;
  readonly #rate: Rate;

  /** `connections`: the machine's, by their keys. */
  constructor(options: MachineOptions, have: Bitset, connections: ReadonlyMap<number, Connection>) {
    this.#options = options;
    this.#have = have;
    this.#connections = connections;
    const { events, random, pieceCount, pieceLength } = options;
    this.#turns = new UploadTurns({ bytesPerSecond: 0, startedAt: events.now });
    this.#rate = new Rate(events.now);
    if (options.superSeeding)
      this.#superSeeding = new SuperSeeding({ pieceCount, pieceLength, random: random.next });
  }

  /** Whether pieces are shown to one machine at a time, and none at first. */
  get isSuperSeeding(): boolean {
    return this.#superSeeding !== undefined;
  }

  joined(key: number): void {
    this.#superSeeding?.joined(key, this.#options.events.now);
  }

  /** `complete`: the other machine has every piece. */
  left(connection: Connection, complete: boolean): void {
    this.#turns.drop(connection);
    this.#choker.forget(connection.key);
    this.#superSeeding?.left(connection.key, complete);
  }

  requested(connection: Connection, request: UploadRequest): void {
    const { conduct, events } = this.#options;
    if (conduct === 'mute') return;
    this.#superSeeding?.asked(connection.key, events.now);
    if (conduct === 'honest' && !this.#have.has(request.piece)) {
      connection.out.write(about('reject', request));
      return;
    }
    this.#turns.push(connection, request);
    this.serve();
  }

  cancelled(connection: Connection, request: UploadRequest): void {
    if (this.#turns.cancel(connection, request)) connection.out.write(about('reject', request));
  }

  /** Gives as much as connections take. */
  serve(): void {
    const { events, conduct } = this.#options;
    while (this.#turns.waiting > 0) {
      const turn = this.#turns.next(events.now, () => true);
      if (turn.do !== 'send') return;
      const { target, request } = turn;
      this.uploaded += request.length;
      this.#rate.add(request.length, events.now);
      const { name } = target.other;
      this.given.set(name, (this.given.get(name) ?? 0) + request.length);
      target.out.write(block(request, conduct === 'liar'));
    }
  }

  /** Shows machines what they shall fetch next, if this is an origin that super-seeds. */
  reveal(download: Download): void {
    if (!this.#superSeeding) return;
    const { now } = this.#options.events;
    const input = {
      peers: download.peers,
      copies: (piece: number) => download.copies(piece),
      bytesPerSecond: this.#rate.bytesPerSecond(now),
    };
    for (const { peer, piece } of this.#superSeeding.decide(input, now))
      this.#connections.get(peer)?.out.write(have(piece));
  }

  dealSlots(download: Download): void {
    const { events, uploadSlots: slots, random } = this.#options;
    const { now } = events;
    const peers = [...this.#connections.values()].map(({ key, peerInterested, amChoking }) => ({
      key,
      interested: peerInterested,
      unchoked: !amChoking,
      bytesPerSecond: download.peers.get(key)?.rate.bytesPerSecond(now) ?? 0,
    }));
    const input = { seeding: this.#have.isFull, slots, random: random.next };
    const { choke, unchoke } = this.#choker.decide(peers, input, now);
    for (const key of choke) {
      const connection = this.#connections.get(key)!;
      connection.amChoking = true;
      this.#turns.drop(connection);
      connection.out.write(bare('choke'));
    }
    for (const key of unchoke) {
      const connection = this.#connections.get(key)!;
      connection.amChoking = false;
      connection.out.write(bare('unchoke'));
    }
  }
}
