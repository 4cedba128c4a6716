/**
 * Answers requests: one block of each peer in turn, within the rate limit, no faster than each socket takes it. Reads
 * whole pieces ahead through the cache and never waits for the store while another peer can be served.
 */
import { TokenBucket } from '../policy/token-bucket.ts';
import type { PieceCache } from './piece-cache.ts';

export interface UploadTarget {
  /** Bytes written but not taken by the kernel yet. */
  readonly pendingBytes: number;
  /** `bytes` may not change until everything sent so far is gone; then `sent` is called. */
  sendBlock(request: UploadRequest, bytes: Uint8Array, sent: () => void): void;
  refuse(request: UploadRequest): void;
}

export interface UploadRequest {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

export interface UploadQueueOptions {
  readonly cache: PieceCache;
  /** 0: no limit. */
  readonly bytesPerSecond: number;
  readonly now: () => number;
  readonly onSent: (bytes: number) => void;
}

/** A socket with more than this waiting gets nothing until it drains: 50 slow peers must not hold 50 pieces. */
const MOST_PENDING_BYTES = 512 * 1024;
/** One peer is served this much in a row, so that each write is worth its system call. */
const RUN_BYTES = 256 * 1024;
/** With a rate limit the peers share finely. */
const LIMITED_RUN_BYTES = 16 * 1024;

export class UploadQueue {
  readonly #options: UploadQueueOptions;
  readonly #bucket: TokenBucket;
  /** In turn order: whoever was served goes to the end. */
  readonly #waiting = new Map<UploadTarget, UploadRequest[]>();
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;
  #closed = false;

  constructor(options: UploadQueueOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.bytesPerSecond, options.now());
  }

  push(target: UploadTarget, request: UploadRequest): void {
    const requests = this.#waiting.get(target);
    if (requests) requests.push(request);
    else this.#waiting.set(target, [request]);
    this.#schedule();
  }

  /** False if it was sent already. */
  cancel(target: UploadTarget, request: UploadRequest): boolean {
    const requests = this.#waiting.get(target);
    const index = requests?.findIndex(
      ({ piece, begin, length }) =>
        piece === request.piece && begin === request.begin && length === request.length,
    );
    if (!requests || index === undefined || index < 0) return false;
    requests.splice(index, 1);
    return true;
  }

  /** The peer was choked or is gone. */
  drop(target: UploadTarget): void {
    this.#waiting.delete(target);
  }

  /** The socket took what it had. */
  drained(): void {
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    // After all sockets of this turn were read: their requests are served as one batch.
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#serve();
    });
  }

  #serve(): void {
    let progress = true;
    while (progress) {
      progress = false;
      for (const [target, requests] of [...this.#waiting]) {
        if (!this.#bucket.unlimited) {
          const waitMs = this.#bucket.waitMs(this.#options.now());
          if (waitMs > 0) {
            this.#serveIn(waitMs);
            return;
          }
        }
        if (requests.length === 0) {
          this.#waiting.delete(target);
          continue;
        }
        if (this.#serveRun(target, requests)) {
          progress = true;
          this.#waiting.delete(target);
          if (requests.length > 0) this.#waiting.set(target, requests);
        }
      }
    }
  }

  #serveIn(waitMs: number): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#closed) this.#serve();
    }, waitMs);
  }

  /** Serves one peer up to a run's length; true if anything went out. */
  #serveRun(target: UploadTarget, requests: UploadRequest[]): boolean {
    let run = this.#bucket.unlimited ? RUN_BYTES : LIMITED_RUN_BYTES;
    let served = 0;
    while (run > 0 && served < requests.length && target.pendingBytes < MOST_PENDING_BYTES) {
      const request = requests[served]!;
      const pinned = this.#options.cache.pin(request.piece);
      if (!pinned) {
        this.#load(target, request);
        break;
      }
      if (!this.#bucket.take(request.length, this.#options.now())) {
        pinned.unpin();
        break;
      }
      served++;
      run -= request.length;
      const bytes = pinned.bytes.subarray(request.begin, request.begin + request.length);
      target.sendBlock(request, bytes, () => {
        pinned.unpin();
        if (this.#waiting.size > 0) this.#schedule();
      });
      this.#options.onSent(request.length);
    }
    requests.splice(0, served);
    return served > 0;
  }

  #load(target: UploadTarget, request: UploadRequest): void {
    if (this.#options.cache.isLoading(request.piece)) return;
    const loading = this.#options.cache.load(request.piece);
    // Every buffer is held by a socket: the next `sent` wakes us.
    void loading?.then((ok) => {
      if (!ok && this.cancel(target, request)) target.refuse(request);
      this.#schedule();
    });
  }
}
