/**
 * Whose request is answered next. Decides only: the caller reads, sends and waits.
 *
 * One peer after the other gets a run of blocks, in the order in which they asked, within the rate limit and no faster
 * than each connection takes them.
 *
 * Invariant: a request is handed out by `next` exactly once, or cancelled, or dropped with its peer.
 */
import { TokenBucket } from './token-bucket.ts';

export interface UploadRequest {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

/** One side that asks. */
export interface UploadTarget {
  /** Bytes written to it but not taken by the kernel yet. */
  readonly pendingBytes: number;
}

export interface UploadTurnsOptions {
  /** Payload; 0: no limit. */
  readonly bytesPerSecond: number;
  /** In ms. */
  readonly startedAt: number;
}

export type UploadTurn<T extends UploadTarget> =
  | { readonly do: 'send'; readonly target: T; readonly request: UploadRequest }
  /** The rate limit wants a pause. */
  | { readonly do: 'wait'; readonly ms: number }
  /** Nothing can be sent until a request comes, a connection drains or a piece is read. */
  | { readonly do: 'rest' };

/** A connection with more than this waiting gets nothing until it drains: 50 slow peers must not hold 50 pieces. */
const MOST_PENDING_BYTES = 512 * 1024;
/** One peer is served this much in a row, so that each write is worth its system call. */
const RUN_BYTES = 256 * 1024;
/** With a rate limit the peers share finely. */
const LIMITED_RUN_BYTES = 16 * 1024;

const REST = { do: 'rest' } as const;

export class UploadTurns<T extends UploadTarget> {
  readonly #bucket: TokenBucket;
  /** In turn order: whoever had its run goes to the end. No list is empty. */
  readonly #waiting = new Map<T, UploadRequest[]>();
  readonly #runBytes: number;
  /** Who is being served, and how much more in a row. */
  #current: T | undefined;
  #run = 0;

  constructor({ bytesPerSecond, startedAt }: UploadTurnsOptions) {
    this.#bucket = new TokenBucket(bytesPerSecond, startedAt);
    this.#runBytes = this.#bucket.unlimited ? RUN_BYTES : LIMITED_RUN_BYTES;
  }

  /** Peers with requests. */
  get waiting(): number {
    return this.#waiting.size;
  }

  push(target: T, request: UploadRequest): void {
    const requests = this.#waiting.get(target);
    if (requests) requests.push(request);
    else this.#waiting.set(target, [request]);
  }

  /** False if it was handed out already. */
  cancel(target: T, request: UploadRequest): boolean {
    const requests = this.#waiting.get(target);
    const index = requests?.findIndex(
      ({ piece, begin, length }) =>
        piece === request.piece && begin === request.begin && length === request.length,
    );
    if (!requests || index === undefined || index < 0) return false;
    requests.splice(index, 1);
    if (requests.length === 0) this.#waiting.delete(target);
    return true;
  }

  /** The peer was choked or is gone. */
  drop(target: T): void {
    this.#waiting.delete(target);
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** `isReady`: the piece is at hand; if not, the caller sees to it and asks again. */
  next(now: number, isReady: (target: T, request: UploadRequest) => boolean): UploadTurn<T> {
    if (this.#waiting.size === 0) return REST;
    const ms = this.#bucket.waitMs(now);
    if (ms > 0) return { do: 'wait', ms };
    const mayGo = (target: T): boolean => {
      const request = this.#waiting.get(target)?.[0];
      return request !== undefined && target.pendingBytes < MOST_PENDING_BYTES && isReady(target, request);
    };
    if (this.#current === undefined || this.#run <= 0 || !mayGo(this.#current)) {
      this.#endRun();
      this.#current = undefined;
      for (const target of this.#waiting.keys()) {
        if (!mayGo(target)) continue;
        this.#current = target;
        break;
      }
      this.#run = this.#runBytes;
    }
    return this.#current === undefined ? REST : this.#hand(this.#current, now);
  }

  #hand(target: T, now: number): UploadTurn<T> {
    const requests = this.#waiting.get(target)!;
    const request = requests.shift()!;
    if (requests.length === 0) this.#waiting.delete(target);
    this.#bucket.take(request.length, now);
    this.#run -= request.length;
    return { do: 'send', target, request };
  }

  #endRun(): void {
    const target = this.#current;
    const requests = target && this.#waiting.get(target);
    if (!target || !requests) return;
    this.#waiting.delete(target);
    this.#waiting.set(target, requests);
  }
}
