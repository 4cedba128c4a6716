/** A plain HTTP server on a link of its own, which gives whoever asks a piece over a connection that stays open. */
import type { EventQueue } from './event-queue.ts';
import { Flow, type Link, type Message } from './network.ts';

const BODY_BYTES = 16_384;
const HEADER_BYTES = 300;

export class SimulatedWebseed {
  readonly link: Link;
  readonly flows: Flow[] = [];
  /** In bytes. */
  sent = 0;
  readonly #events: EventQueue;
  readonly #delayMs: number;
  readonly #windowBytes: number;

  constructor(
    events: EventQueue,
    link: Link,
    options: { readonly delayMs: number; readonly windowBytes: number },
  ) {
    this.#events = events;
    this.link = link;
    this.#delayMs = options.delayMs;
    this.#windowBytes = options.windowBytes;
  }

  /** `fetch` asks for so many bytes; one at a time. */
  connect(to: Link): (length: number, done: () => void) => void {
    let missing = 0;
    let finish = (): void => {};
    const flow = new Flow({
      from: this.link,
      to,
      delayMs: this.#delayMs,
      windowBytes: this.#windowBytes,
      receive: ({ payload }: Message) => {
        missing -= payload;
        if (missing === 0) finish();
      },
      drained: () => {},
    });
    this.flows.push(flow);
    return (length, done) => {
      missing = length;
      finish = done;
      const answer = (): void => {
        for (let at = 0; at < length; at += BODY_BYTES) {
          const payload = Math.min(BODY_BYTES, length - at);
          flow.write({ bytes: payload + (at === 0 ? HEADER_BYTES : 0), payload });
          this.sent += payload;
        }
      };
      this.#events.after(this.#delayMs, { fire: answer });
    };
  }
}
