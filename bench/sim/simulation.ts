/**
 * Runs a scenario: who is there when, how they find each other, what befalls them, and what came of it.
 *
 * Discovery is a tracker that answers with up to 50 of those that came before; a machine asks once when it starts and
 * every two seconds while it has few peers.
 */
import { type Endpoint, formatEndpoint } from '../../torrent/endpoint.ts';
import { dialsWanted } from '../../torrent/policy/mesh.ts';
import { Newcomers } from '../../torrent/policy/newcomers.ts';
import { PeerBook } from '../../torrent/policy/peer-book.ts';
import { EventQueue } from './event-queue.ts';
import { Machine } from './machine.ts';
import type { Conduct } from './machine-options.ts';
import { isBalanced } from './network.ts';
import { Random } from './random.ts';
import { boundSeconds, type Scenario } from './scenario.ts';
import { SimulatedWebseed } from './webseed.ts';

const TICK_MS = 250;
const DIAL_MS = 1000;
const TRACKER_MS = 5;
const TRACKER_PEERS = 50;
const FEW_PEERS = 4;
const ANNOUNCE_AGAIN_MS = 2000;
const UPLOAD_SLOTS = 24;
const MEMORY_BYTES = 32 * 2 ** 20;
const STRAGGLER = 0.1;

/** What was done to the swarm. */
export interface Faults {
  left: number;
  connectionsLost: number;
  liarsBanned: number;
  refutedPieces: number;
  unresponsiveDropped: number;
}

export interface Outcome {
  /** Seconds from the machine's own start; undefined: it never finished. */
  readonly seconds: readonly (number | undefined)[];
  readonly first: number;
  readonly median: number;
  /** The last that finished, as seconds from the start of the last machine (or its own, where they are staggered). */
  readonly last: number;
  readonly boundSeconds: number;
  readonly firstRatio: number;
  readonly medianRatio: number;
  readonly lastRatio: number;
  /** Payload of the origin over the image. */
  readonly serverPayloadRatio: number;
  /** Blocks that arrived in vain, over all that arrived. */
  readonly wastedShare: number;
  /** Honest machines that did not leave and did not finish. */
  readonly stuck: number;
  readonly faults: Faults;
  /** Payload written = delivered + lost + on its way, and what the policy counted is what was delivered. */
  readonly conserved: boolean;
  readonly events: number;
  /** Upload link use of the machines until the last had finished. */
  readonly uplinkUse: number;
  /** The same of the origin until every piece had left it once, and when that was, in seconds. */
  readonly originUse: number;
  readonly originSeconds: number;
  /** Share of all missing pieces that had arrived, sampled every second of virtual time. */
  readonly progress: readonly number[];
  /** Payload that each machine (0: the origin) gave to each, in bytes; only for small swarms. */
  readonly gave: readonly (readonly number[])[] | undefined;
}

interface Seat {
  readonly machine: Machine;
  readonly endpoint: Endpoint;
  readonly book: PeerBook;
  readonly newcomers: Newcomers;
  readonly startMs: number;
  /** An honest machine with a link like the others'. */
  readonly counts: boolean;
  dialing: number;
}

const endpointOf = (name: number): Endpoint => ({
  host: `10.${(name >> 16) & 255}.${(name >> 8) & 255}.${name & 255}`,
  port: 6881,
});

export class Simulation {
  readonly #scenario: Scenario;
  readonly #events = new EventQueue();
  readonly #random: Random;
  readonly #seats: Seat[] = [];
  readonly #byAddress = new Map<string, Seat>();
  readonly #announced: Seat[] = [];
  readonly #faults: Faults = {
    left: 0,
    connectionsLost: 0,
    liarsBanned: 0,
    refutedPieces: 0,
    unresponsiveDropped: 0,
  };
  readonly #progress: number[] = [];
  readonly #pieceCount: number;
  /** It stands on the link of seat 0, which takes no part in the swarm then. */
  #webseed: SimulatedWebseed | undefined;
  #gained = 0;
  #originMs = 0;
  #originBusyMs = 0;
  #leaveAt: number;
  #open: number;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = new Random(scenario.seed);
    this.#pieceCount = Math.ceil(scenario.sizeBytes / scenario.pieceBytes);
    this.#leaveAt = scenario.leaveEvery > 0 ? scenario.leaveEvery : Number.POSITIVE_INFINITY;
    this.#open = 0;
    this.#seats.push(this.#seat(0, 'honest', 1));
    if (scenario.origin === 'webseed') {
      this.#webseed = new SimulatedWebseed(this.#events, this.#seats[0]!.machine.link, scenario);
    }
    const hostile = Math.round(scenario.hostileShare * scenario.machines);
    for (let name = 1; name <= scenario.machines; name++) {
      const conduct = name > hostile ? 'honest' : name % 2 === 0 ? 'mute' : 'liar';
      const slow = name > scenario.machines - scenario.stragglers;
      const seat = this.#seat(name, conduct, slow ? STRAGGLER : 1);
      this.#seats.push(seat);
      if (seat.counts) this.#open++;
    }
  }

  run(): Outcome {
    const limitMs =
      (boundSeconds(this.#scenario) * this.#scenario.patience + this.#scenario.staggeredSeconds) * 1000;
    for (const seat of this.#seats) this.#events.at(seat.startMs, { fire: () => this.#start(seat) });
    this.#every(1000, () => this.#sample());
    if (this.#scenario.lossesPerMinute > 0) this.#every(1000, () => this.#loseConnections());
    while (this.#open > 0 && this.#events.now < limitMs && this.#events.step());
    return this.#outcome();
  }

  #seat(name: number, conduct: Conduct, share: number): Seat {
    const scenario = this.#scenario;
    const random = this.#random;
    const { sizeBytes, pieceBytes, machines } = scenario;
    const bytesPerSecond = (scenario.rateBitsPerSecond / 8) * share;
    const role = name === 0 ? 'origin' : 'peer';
    const machine = new Machine({
      name,
      events: this.#events,
      random,
      pieceCount: this.#pieceCount,
      pieceLength: pieceBytes,
      lengthOf: (piece) => Math.min(pieceBytes, sizeBytes - piece * pieceBytes),
      role: scenario.origin === 'ours' ? role : 'peer',
      superSeeding: name === 0 && scenario.origin === 'ours' && scenario.superSeeding,
      complete: name === 0,
      conduct,
      upBytesPerSecond: bytesPerSecond,
      downBytesPerSecond: bytesPerSecond,
      delayMs: scenario.delayMs / 2,
      windowBytes: scenario.windowBytes,
      socketBytes: scenario.socketBytes,
      verifyMs: scenario.verifyMs,
      memoryBytes: MEMORY_BYTES,
      mostPeers: name === 0 ? scenario.originPeers : scenario.mostPeers,
      uploadSlots: UPLOAD_SLOTS,
      requestTimeoutMs: scenario.requestTimeoutMs,
      webseed: name === 0 ? undefined : this.#webseed,
      gained: (who, now) => this.#gain(who, now),
      lost: (who, other, reason) => this.#lost(who, other, reason),
    });
    const turn = machines > 1 ? (name - 1) / (machines - 1) : 0;
    const startMs = name === 0 ? -1e-9 : turn * scenario.staggeredSeconds * 1000;
    const endpoint = endpointOf(name);
    const counts = name > 0 && conduct === 'honest' && share === 1;
    const seat: Seat = {
      machine,
      endpoint,
      book: new PeerBook(),
      newcomers: new Newcomers(),
      startMs,
      counts,
      dialing: 0,
    };
    this.#byAddress.set(formatEndpoint(endpoint), seat);
    return seat;
  }

  #start(seat: Seat): void {
    const { startMs, startSpreadMs } = this.#scenario;
    seat.machine.startedAt = this.#events.now;
    const ready = seat.machine.name === 0 ? 0 : startMs + this.#random.next() * startSpreadMs;
    this.#events.after(ready, {
      fire: () => {
        this.#announce(seat);
        this.#every(DIAL_MS, () => this.#dial(seat), seat);
        this.#every(
          ANNOUNCE_AGAIN_MS,
          () => {
            if (seat.machine.connections.size < FEW_PEERS) this.#announce(seat);
          },
          seat,
        );
        this.#events.after(this.#random.next() * TICK_MS, {
          fire: () => this.#every(TICK_MS, () => seat.machine.tick(), seat),
        });
      },
    });
  }

  #every(ms: number, act: () => void, seat?: Seat): void {
    const event = {
      fire: (): void => {
        if (seat?.machine.gone) return;
        act();
        this.#events.after(ms, event);
      },
    };
    this.#events.after(ms, event);
  }

  #announce(seat: Seat): void {
    if (seat.machine.name === 0 && this.#webseed) return;
    const others = this.#random.some(this.#announced, TRACKER_PEERS).filter((other) => other !== seat);
    if (!this.#announced.includes(seat)) this.#announced.push(seat);
    // The boot server is named in each machine's cmdline.
    const origin = this.#webseed ? [] : [this.#seats[0]!];
    const addresses = [...origin, ...others].map((other) => other.endpoint);
    if (seat.machine.name === 0) return;
    this.#events.after(TRACKER_MS, {
      fire: (now) => {
        seat.book.add(addresses, now);
        this.#dial(seat);
      },
    });
  }

  #dial(seat: Seat): void {
    const { machine, book } = seat;
    if (machine.gone) return;
    const { mostPeers } = machine.options;
    const room = dialsWanted({
      connected: machine.connections.size,
      dialing: seat.dialing,
      maxPeers: mostPeers,
      lagSeconds: machine.download.lagSeconds,
    });
    if (room <= 0) return;
    for (const endpoint of book.take(room, this.#events.now)) {
      const other = this.#byAddress.get(formatEndpoint(endpoint))!;
      seat.dialing++;
      const roundTripMs = 2 * (machine.options.delayMs + other.machine.options.delayMs) + 1;
      this.#events.after(roundTripMs, { fire: () => this.#dialed(seat, other) });
    }
  }

  #dialed(seat: Seat, other: Seat): void {
    seat.dialing--;
    const { machine, endpoint } = seat;
    const { now } = this.#events;
    const absent = other.machine.gone || other.machine.startedAt === undefined || machine.gone;
    const known = machine.connections.has(other.machine);
    const unwanted = other.machine.banned.has(machine) || machine.banned.has(other.machine);
    if (!absent && !known && !unwanted && this.#admits(other, endpoint)) {
      Machine.connect(machine, other.machine);
      other.book.add([endpoint], now);
      other.book.connected(endpoint);
      seat.book.connected(other.endpoint);
    } else if (!known) seat.book.ended(other.endpoint, false, now, this.#random.next);
    else seat.book.connected(other.endpoint);
  }

  /** As torrent/swarm/room.ts does. */
  #admits({ machine, newcomers }: Seat, { host }: Endpoint): boolean {
    const mayReplace = newcomers.mayReplace(host, this.#events.now, this.#random.next);
    if (machine.hasRoom()) return true;
    if (!mayReplace || machine.have.isFull) return false;
    const others = [...machine.connections.keys()].filter(({ name }) => name !== 0);
    const [goes] = this.#random.some(others, 1);
    if (goes) machine.disconnect(goes, 'gave-way');
    return goes !== undefined;
  }

  #lost(machine: Machine, other: Machine, reason: string): void {
    if (reason === 'bad-data') this.#faults.liarsBanned++;
    if (reason === 'unresponsive') this.#faults.unresponsiveDropped++;
    const [seat, otherSeat] = [this.#seats[machine.name]!, this.#seats[other.name]!];
    const { now } = this.#events;
    seat.book.ended(otherSeat.endpoint, true, now, this.#random.next);
    if (reason === 'both-complete') seat.book.pause(otherSeat.endpoint, 60_000, now);
  }

  #gain(machine: Machine, now: number): void {
    if (!this.#seats[machine.name]!.counts) return;
    this.#gained++;
    if (machine.have.isFull) {
      machine.finishedAt = now;
      this.#open--;
    }
    if (this.#gained / (this.#pieceCount * this.#scenario.machines) < this.#leaveAt) return;
    this.#leaveAt += this.#scenario.leaveEvery;
    this.#oneLeaves();
  }

  #oneLeaves(): void {
    const staying = this.#seats.filter(
      ({ machine, counts }) => counts && !machine.gone && machine.finishedAt === undefined,
    );
    if (staying.length < 2) return;
    const [victim] = this.#random.some(staying, 1);
    victim!.machine.vanish();
    this.#faults.left++;
    this.#open--;
  }

  #loseConnections(): void {
    for (const { machine } of this.#seats) {
      if (machine.gone || this.#random.next() >= this.#scenario.lossesPerMinute / 60) continue;
      const [victim] = this.#random.some([...machine.connections.keys()], 1);
      if (!victim) continue;
      this.#faults.connectionsLost++;
      machine.disconnect(victim, 'connection-lost');
    }
  }

  #sample(): void {
    if (!this.#originDone()) {
      this.#originMs = this.#events.now;
      this.#originBusyMs = this.#seats[0]!.machine.link.busyMs;
    }
    this.#progress.push(this.#gained / (this.#pieceCount * this.#scenario.machines));
  }

  /** An image has left the origin. */
  #originDone(): boolean {
    return this.#serverBytes() >= this.#scenario.sizeBytes;
  }

  #serverBytes(): number {
    return this.#webseed ? this.#webseed.sent : this.#seats[0]!.machine.giving.uploaded;
  }

  #outcome(): Outcome {
    const scenario = this.#scenario;
    const honest = this.#seats.filter(({ counts }) => counts);
    const bound = boundSeconds(scenario);
    const seconds = honest.map(({ machine: { finishedAt, startedAt = 0 } }) =>
      finishedAt === undefined ? undefined : (finishedAt - startedAt) / 1000,
    );
    const sorted = seconds.filter((value) => value !== undefined).toSorted((a, b) => a - b);
    const first = sorted[0] ?? Number.NaN;
    const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
    const last = sorted.at(-1) ?? Number.NaN;
    for (const { machine } of this.#seats) this.#faults.refutedPieces += machine.hashFailures;
    let delivered = 0;
    let wasted = 0;
    for (const { machine } of this.#seats) {
      delivered += machine.delivered;
      wasted += machine.download.received.wasted;
    }
    const now = this.#events.now;
    const peers = honest.filter(({ machine }) => !machine.gone);
    return {
      seconds,
      first,
      median,
      last,
      boundSeconds: bound,
      firstRatio: first / bound,
      medianRatio: median / bound,
      lastRatio: last / bound,
      serverPayloadRatio: this.#serverBytes() / scenario.sizeBytes,
      wastedShare: delivered > 0 ? wasted / delivered : 0,
      stuck: peers.filter(({ machine }) => machine.finishedAt === undefined).length,
      faults: this.#faults,
      conserved: this.#isConserved(),
      events: this.#events.scheduled,
      uplinkUse: peers.reduce((sum, { machine }) => sum + machine.link.busyMs / now, 0) / peers.length,
      originUse: this.#originBusyMs / this.#originMs,
      originSeconds: this.#originMs / 1000,
      progress: this.#progress,
      gave: scenario.machines <= 64 ? this.#matrix() : undefined,
    };
  }

  #isConserved(): boolean {
    if (this.#webseed && !this.#webseed.flows.every(isBalanced)) return false;
    return this.#seats.every(
      ({ machine }) => machine.flows.every(isBalanced) && machine.delivered === machine.accounted,
    );
  }

  #matrix(): number[][] {
    const names = this.#seats.map(({ machine }) => machine.name);
    return this.#seats.map(({ machine }) => names.map((name) => machine.giving.given.get(name) ?? 0));
  }
}
