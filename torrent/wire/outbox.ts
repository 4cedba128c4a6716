/**
 * What goes out to one peer, collected until the current turn of the event loop is over: many requests become one write,
 * a run of blocks one gathered write. (One system call per 17-byte request cost a third of the time.) What is in no hurry
 * rides along with the next bytes that are.
 */
import type { Socket } from 'node:net';

/** Below this, bytes are copied together; above, they are written in place. */
const COPY_BELOW_BYTES = 2048;
const NOTHING = Buffer.alloc(0);

export class Outbox {
  readonly #socket: Socket;
  #chunks: Uint8Array[] = [];
  /** In no hurry. */
  #riders: Uint8Array[] = [];
  #afterSent: (() => void)[] = [];
  #scheduled = false;
  #bytes = 0;
  readonly #now: () => number;
  /** When the kernel last took a batch, or since when there is anything to take. */
  #progressAt = 0;
  readonly #took = (): void => {
    this.#progressAt = this.#now();
  };

  /** `now`: in ms. */
  constructor(socket: Socket, now: () => number) {
    this.#socket = socket;
    this.#now = now;
  }

  /** Bytes accepted but not yet taken by the kernel. */
  get pendingBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  /** For how long the kernel has taken nothing although something waits, in ms. */
  get stalledMs(): number {
    return this.pendingBytes === 0 ? 0 : this.#now() - this.#progressAt;
  }

  push(bytes: Uint8Array): void {
    this.#count(bytes);
    this.#chunks.push(bytes);
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => this.flush());
  }

  /** These bytes, a whole message, go out with the next ones that are pushed, or with the next `flush`. */
  pushLater(bytes: Uint8Array): void {
    this.#count(bytes);
    this.#riders.push(bytes);
  }

  /** `done` is called once everything pushed so far has left this process, or never will. */
  afterSent(done: () => void): void {
    this.#afterSent.push(done);
  }

  flush(): void {
    this.#scheduled = false;
    const chunks = this.#riders.length === 0 ? this.#chunks : [...this.#riders, ...this.#chunks];
    const callbacks = this.#afterSent;
    this.#chunks = [];
    this.#riders = [];
    this.#afterSent = [];
    const bytes = this.#bytes;
    this.#bytes = 0;
    // Nothing was taken either.
    if (chunks.length === 0 && callbacks.length === 0) return;
    const done = (): void => {
      this.#took();
      for (const callback of callbacks) callback();
    };
    if (this.#socket.destroyed || chunks.length === 0) {
      done();
      return;
    }
    const sent = callbacks.length > 0 ? done : this.#took;
    // Requests, most of the time.
    if (bytes < COPY_BELOW_BYTES) {
      this.#socket.write(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), sent);
      return;
    }
    this.#socket.cork();
    let small: Uint8Array[] = [];
    const writeSmall = (): void => {
      if (small.length > 0) this.#socket.write(small.length === 1 ? small[0]! : Buffer.concat(small));
      small = [];
    };
    for (const chunk of chunks) {
      if (chunk.length < COPY_BELOW_BYTES) {
        small.push(chunk);
        continue;
      }
      writeSmall();
      this.#socket.write(chunk);
    }
    writeSmall();
    // Writes end in order, so the callback of an empty last one covers all. Errors are the socket's 'error' event too.
    this.#socket.write(NOTHING, sent);
    this.#socket.uncork();
  }

  #count(bytes: Uint8Array): void {
    if (this.pendingBytes === 0) this.#took();
    this.#bytes += bytes.length;
  }
}
