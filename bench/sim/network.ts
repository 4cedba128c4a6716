/**
 * Machines on a switch that never jams: each has a link to it with a rate up and a rate down, and TCP connections over it.
 *
 * A connection is two flows. What is written to a flow waits in order (socket buffers: nothing of it can be recalled or
 * overtaken). A link sends the waiting flows in turn, one block each, which is how TCP connections share a link in the mean.
 * A flow may have `windowBytes` under way; at a receiver whose link is full the windows of all its senders queue up, so
 * they share that link too, and a sender that is held up there lends its own link to its other flows.
 *
 * On the wire: `bytes` of payload take 1514/1448 of that in full frames, a message of its own takes a frame's headers, and
 * the receiver acknowledges every second full frame (66 bytes) over its own uplink.
 *
 * Invariant (`isBalanced`): payload written = delivered + lost with closed flows + waiting + under way.
 */
import type { EventQueue, SimEvent } from './event-queue.ts';

export interface Message {
  /** As the wire protocol has it, length prefix included. */
  readonly bytes: number;
  /** Block payload in it, in bytes. */
  readonly payload: number;
}

/** Block payload of one flow, in bytes. */
export interface Ledger {
  written: number;
  delivered: number;
  lost: number;
}

const FRAME = 1514 / 1448;
/** Ethernet, IP and TCP headers with timestamps. */
const HEADERS_BYTES = 66;
const ACK_PER_BYTE = HEADERS_BYTES / (2 * 1448);
/** Messages below this travel together. */
const SMALL_BYTES = 1024;
const MOST_TOGETHER = 64;

export class Flow {
  readonly from: Link;
  readonly to: Link;
  readonly delayMs: number;
  readonly windowBytes: number;
  readonly receive: (message: Message) => void;
  /** Something was sent: there is room again. */
  readonly drained: () => void;
  readonly waiting: Message[] = [];
  /** Of `waiting`, in bytes. */
  waitingBytes = 0;
  underWayBytes = 0;
  underWayPayload = 0;
  readonly ledger: Ledger = { written: 0, delivered: 0, lost: 0 };
  /** It waits for its turn on the link. */
  inLine = false;
  closed = false;

  constructor(options: {
    readonly from: Link;
    readonly to: Link;
    readonly delayMs: number;
    readonly windowBytes: number;
    readonly receive: (message: Message) => void;
    readonly drained: () => void;
  }) {
    this.from = options.from;
    this.to = options.to;
    this.delayMs = options.delayMs;
    this.windowBytes = options.windowBytes;
    this.receive = options.receive;
    this.drained = options.drained;
  }

  write(message: Message): void {
    if (this.closed) return;
    this.waiting.push(message);
    this.waitingBytes += message.bytes;
    this.ledger.written += message.payload;
    this.from.offer(this);
  }

  /** What waits and what is under way is lost. */
  close(): void {
    this.closed = true;
    this.ledger.lost += payloadOf(this.waiting);
    this.waiting.length = 0;
    this.waitingBytes = 0;
  }
}

export function isBalanced({ ledger, waiting, underWayPayload }: Flow): boolean {
  return ledger.written === ledger.delivered + ledger.lost + payloadOf(waiting) + underWayPayload;
}

function payloadOf(messages: readonly Message[]): number {
  let sum = 0;
  for (const { payload } of messages) sum += payload;
  return sum;
}

/** One burst of a flow, from the sender's link to the receiver. */
class Burst implements SimEvent {
  readonly flow: Flow;
  readonly messages: readonly Message[];
  readonly bytes: number;
  readonly wireBytes: number;

  constructor(flow: Flow, messages: readonly Message[], bytes: number) {
    this.flow = flow;
    this.messages = messages;
    this.bytes = bytes;
    this.wireBytes = bytes < SMALL_BYTES ? bytes + HEADERS_BYTES : bytes * FRAME;
  }

  /** It has arrived. */
  fire(): void {
    const { flow, bytes, messages } = this;
    // Nobody acknowledges: the window stays full for good.
    if (flow.to.cut) return;
    const payload = payloadOf(messages);
    flow.underWayBytes -= bytes;
    flow.underWayPayload -= payload;
    flow.to.oweAcknowledgement(bytes);
    flow.ledger[flow.closed ? 'lost' : 'delivered'] += payload;
    if (flow.closed) return;
    flow.from.offer(flow);
    for (const message of messages) flow.receive(message);
  }
}

export class Link implements SimEvent {
  /** Bytes per ms. */
  readonly up: number;
  readonly down: number;
  /** The cable is out. */
  cut = false;
  readonly #events: EventQueue;
  readonly #line: Flow[] = [];
  #sending: Burst | undefined;
  #idleSince = 0;
  #receivingUntil = 0;
  /** Acknowledgements not sent yet, in bytes. */
  #owed = 0;
  /** Bytes on the wire, headers and acknowledgements counted. */
  sentBytes = 0;
  /** Time spent sending, in ms. */
  busyMs = 0;

  constructor(events: EventQueue, upBytesPerSecond: number, downBytesPerSecond: number) {
    this.#events = events;
    this.up = upBytesPerSecond / 1000;
    this.down = downBytesPerSecond / 1000;
  }

  offer(flow: Flow): void {
    if (this.cut || flow.inLine || flow.closed || flow.waiting.length === 0) return;
    if (flow.underWayBytes >= flow.windowBytes) return;
    flow.inLine = true;
    this.#line.push(flow);
    if (!this.#sending) this.#sendNext();
  }

  oweAcknowledgement(bytes: number): void {
    this.#owed += bytes * ACK_PER_BYTE;
  }

  /** A burst has left. */
  fire(now: number): void {
    const burst = this.#sending!;
    const { flow } = burst;
    if (this.cut) return;
    this.#sending = undefined;
    this.#idleSince = now;
    const { to } = flow;
    const arrived = Math.max(now + flow.delayMs, to.#receivingUntil) + burst.wireBytes / to.down;
    to.#receivingUntil = arrived;
    this.#events.at(arrived, burst);
    this.offer(flow);
    if (!this.#sending) this.#sendNext();
    if (!flow.closed) flow.drained();
  }

  #sendNext(): void {
    let flow: Flow | undefined;
    do {
      flow = this.#line.shift();
      if (!flow) return;
      flow.inLine = false;
    } while (flow.closed);
    const burst = takeBurst(flow);
    const { now } = this.#events;
    // Acknowledgements went out by themselves while the link was idle.
    const owed = Math.max(0, this.#owed - (now - this.#idleSince) * this.up);
    this.#owed = 0;
    const bytes = burst.wireBytes + owed;
    this.sentBytes += bytes;
    this.busyMs += bytes / this.up;
    flow.underWayBytes += burst.bytes;
    flow.underWayPayload += payloadOf(burst.messages);
    this.#sending = burst;
    this.#events.at(now + bytes / this.up, this);
  }
}

/** Small messages together, and at most one block behind them. */
function takeBurst(flow: Flow): Burst {
  const { waiting } = flow;
  let count = 0;
  let bytes = 0;
  while (count < waiting.length && count < MOST_TOGETHER) {
    const next = waiting[count++]!.bytes;
    bytes += next;
    if (next >= SMALL_BYTES) break;
  }
  flow.waitingBytes -= bytes;
  return new Burst(flow, waiting.splice(0, count), bytes);
}
