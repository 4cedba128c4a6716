/**
 * Runs the webseeds (BEP 19) when peers do not deliver: a piece at a time, into the same buffers, through the same check.
 * One that fails is left alone for a while; one that sends wrong bytes twice is left alone for good.
 */
import type { Metainfo } from '../metainfo-model.ts';
import { createWebseed, type Webseed } from '../webseed.ts';

export interface WebseedsOptions {
  readonly metainfo: Metainfo;
  readonly urls: readonly string[];
  /** A piece to fetch, or -1. */
  readonly claim: () => number;
  readonly bufferOf: (piece: number) => Buffer;
  readonly fetched: (piece: number, url: string) => Promise<'ok' | 'bad'>;
  readonly abandoned: (piece: number) => void;
  /** A fetch is over; call `run` if webseeds still may help. */
  readonly idle: () => void;
  readonly warn: (code: string, message: string) => void;
  readonly now: () => number;
}

interface Runner {
  readonly webseed: Webseed;
  busy: number;
  failures: number;
  badPieces: number;
  notBefore: number;
}

/** Fetched at the same time from one webseed, so that the answer of one hides the way of the next request. */
const MOST_AT_ONCE = 2;
const MOST_BAD_PIECES = 2;
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 30_000;

export class Webseeds {
  readonly #options: WebseedsOptions;
  readonly #runners: Runner[] = [];
  readonly #ending = new AbortController();

  constructor(options: WebseedsOptions) {
    this.#options = options;
    for (const url of options.urls) {
      try {
        const webseed = createWebseed({ url, metainfo: options.metainfo });
        this.#runners.push({ webseed, busy: 0, failures: 0, badPieces: 0, notBefore: 0 });
      } catch (error) {
        options.warn('webseed-refused', `Cannot use webseed: ${(error as Error).message}`);
      }
    }
  }

  get count(): number {
    return this.#runners.length;
  }

  /** Called whenever webseeds may help. */
  run(): void {
    for (const runner of this.#runners) {
      while (runner.busy < MOST_AT_ONCE && runner.notBefore <= this.#options.now()) {
        const piece = this.#options.claim();
        if (piece < 0) return;
        runner.busy++;
        void this.#fetch(runner, piece).finally(() => {
          runner.busy--;
          if (!this.#ending.signal.aborted) this.#options.idle();
        });
      }
    }
  }

  close(): void {
    this.#ending.abort();
    for (const { webseed } of this.#runners) webseed.close();
    this.#runners.length = 0;
  }

  async #fetch(runner: Runner, piece: number): Promise<void> {
    const { url } = runner.webseed;
    try {
      await runner.webseed.fetchPiece(piece, this.#options.bufferOf(piece), this.#ending.signal);
    } catch (error) {
      if (!this.#ending.signal.aborted) {
        this.#pause(runner);
        this.#options.warn('webseed-failed', `Webseed ${url}: ${(error as Error).message}`);
      }
      this.#options.abandoned(piece);
      return;
    }
    if (this.#ending.signal.aborted) return;
    runner.failures = 0;
    if ((await this.#options.fetched(piece, url)) === 'ok') return;
    this.#pause(runner);
    if (++runner.badPieces < MOST_BAD_PIECES) {
      this.#options.warn('webseed-bad-piece', `Webseed ${url} sent piece ${piece} with a wrong hash`);
      return;
    }
    const index = this.#runners.indexOf(runner);
    if (index < 0) return;
    this.#runners.splice(index, 1);
    runner.webseed.close();
    this.#options.warn('webseed-dropped', `Webseed ${url} sends wrong bytes and is not asked any more`);
  }

  #pause(runner: Runner): void {
    runner.failures++;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (runner.failures - 1), LAST_PAUSE_MS);
    runner.notBefore = this.#options.now() + pause;
  }
}
