/**
 * Answers requests in the order that policy/upload-turns.ts gives them. Reads whole pieces ahead through the cache and never
 * waits for the store while another peer can be served.
 */
import {
  type UploadRequest,
  UploadTurns,
  type UploadTarget as WaitingTarget,
} from '../policy/upload-turns.ts';
import type { PieceCache } from './piece-cache.ts';

export type { UploadRequest } from '../policy/upload-turns.ts';

export interface UploadTarget extends WaitingTarget {
  /** `bytes` may not change until everything sent so far is gone; then `sent` is called. */
  sendBlock(request: UploadRequest, bytes: Uint8Array, sent: () => void): void;
  refuse(request: UploadRequest): void;
}

export interface UploadQueueOptions {
  readonly cache: PieceCache;
  /** 0: no limit. */
  readonly bytesPerSecond: number;
  readonly now: () => number;
  readonly onSent: (bytes: number) => void;
}

export class UploadQueue {
  readonly #options: UploadQueueOptions;
  readonly #turns: UploadTurns<UploadTarget>;
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;
  #closed = false;

  constructor(options: UploadQueueOptions) {
    this.#options = options;
    const { bytesPerSecond, now } = options;
    this.#turns = new UploadTurns({ bytesPerSecond, startedAt: now() });
  }

  push(target: UploadTarget, request: UploadRequest): void {
    this.#turns.push(target, request);
    this.#schedule();
  }

  /** False if it was sent already. */
  cancel(target: UploadTarget, request: UploadRequest): boolean {
    return this.#turns.cancel(target, request);
  }

  /** The peer was choked or is gone. */
  drop(target: UploadTarget): void {
    this.#turns.drop(target);
  }

  /** The socket took what it had. */
  drained(): void {
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#turns.clear();
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    // After all sockets of this turn were read: their requests are served as one batch.
    setImmediate(() => {
      this.#scheduled = false;
      this.#serve();
    });
  }

  #serve(): void {
    while (!this.#closed) {
      const turn = this.#turns.next(this.#options.now(), (target, request) => this.#atHand(target, request));
      if (turn.do === 'send') this.#send(turn.target, turn.request);
      else {
        if (turn.do === 'wait') this.#serveIn(turn.ms);
        return;
      }
    }
  }

  #serveIn(waitMs: number): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#serve();
    }, waitMs);
  }

  #send(target: UploadTarget, { piece, begin, length }: UploadRequest): void {
    const { bytes, giveBack } = this.#options.cache.lend(piece, begin, length)!;
    target.sendBlock({ piece, begin, length }, bytes, () => {
      giveBack();
      if (this.#turns.waiting > 0) this.#schedule();
    });
    this.#options.onSent(length);
  }

  /** Sees to it that the piece is read if it is not. */
  #atHand(target: UploadTarget, request: UploadRequest): boolean {
    const { cache } = this.#options;
    if (cache.has(request.piece)) return true;
    if (cache.isLoading(request.piece)) return false;
    const loading = cache.load(request.piece);
    // Every buffer is held by a socket: the next `sent` wakes us.
    void loading?.then((ok) => {
      if (!ok && this.cancel(target, request)) target.refuse(request);
      this.#schedule();
    });
    return false;
  }
}
