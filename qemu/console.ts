/**
 * What a machine said on its serial console, with the time of each line, and waiting for what it will say.
 *
 * Invariant: text is only added at the end; an offset into it stays valid (offsets count what was dropped in front).
 * `expect` moves a cursor behind what it matched, so that expectations in a row match text in a row and no earlier
 * output can satisfy a later one.
 */
export interface ConsoleLine {
  readonly text: string;
  /** Seconds since power-on at which the line ended. */
  readonly seconds: number;
  /** Offset of its first character. */
  readonly offset: number;
}

export interface Found {
  readonly match: RegExpExecArray;
  /** Seconds since power-on at which it was seen. */
  readonly seconds: number;
  /** Offset behind the match. */
  readonly end: number;
}

export class ConsoleError extends Error {
  readonly code: 'timeout' | 'closed' | 'aborted';
  constructor(code: ConsoleError['code'], message: string) {
    super(message);
    this.name = 'ConsoleError';
    this.code = code;
  }
}

export interface ExpectOptions {
  readonly timeoutMs: number;
  /** Where to begin; the cursor (end of the last match) if not given. Given, the cursor is left alone. */
  readonly from?: number;
  readonly signal?: AbortSignal;
}

/** Most text kept, in characters: a guest that prints for ever must not take our memory. */
const LIMIT = 8 * 1024 * 1024;
/** Lines of context in an error message. */
const CONTEXT_LINES = 12;

// Firmware and iPXE position the cursor and colour their text: ECMA-48 control sequences, and two-character escapes.
const ESCAPE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[ -/]*[0-Z\\^-~])/g;
const UNFINISHED_ESCAPE = /\x1b(?:\[[0-?]*[ -/]*|[ -/]*)$/;

interface Waiter {
  readonly pattern: RegExp;
  from: number;
  readonly moveCursor: boolean;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: Error) => void;
}

export class Console {
  readonly #now: () => number;
  readonly #decoder = new TextDecoder();
  readonly #waiters = new Set<Waiter>();
  readonly #listeners = new Set<(line: ConsoleLine) => void>();
  readonly lines: ConsoleLine[] = [];
  #pending = '';
  #text = '';
  #dropped = 0;
  #cursor = 0;
  #lineStart = 0;
  #closed: string | undefined;

  /** `now()` gives seconds since power-on. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Offset behind the last character. */
  get end(): number {
    return this.#dropped + this.#text.length;
  }

  /** Adds output of the machine. */
  feed(bytes: Uint8Array): void {
    // NUL and the carriage returns of a terminal's line ends say nothing about the text.
    const raw = this.#pending + this.#decoder.decode(bytes, { stream: true }).replaceAll(/[\r\0]/g, '');
    const unfinished = UNFINISHED_ESCAPE.exec(raw);
    this.#pending = unfinished ? unfinished[0] : '';
    const text = (unfinished ? raw.slice(0, unfinished.index) : raw).replaceAll(ESCAPE, '');
    this.#text += text;
    if (this.#text.length > LIMIT) {
      const excess = this.#text.length - LIMIT / 2;
      this.#text = this.#text.slice(excess);
      this.#dropped += excess;
    }
    this.#cutLines();
    for (const waiter of this.#waiters) this.#try(waiter);
  }

  #cutLines(): void {
    for (;;) {
      const start = Math.max(this.#lineStart, this.#dropped);
      const end = this.#text.indexOf('\n', start - this.#dropped);
      if (end < 0) return;
      const line = {
        text: this.#text.slice(start - this.#dropped, end),
        seconds: this.#now(),
        offset: start,
      };
      this.#lineStart = this.#dropped + end + 1;
      this.lines.push(line);
      for (const listener of this.#listeners) listener(line);
    }
  }

  #try(waiter: Waiter): void {
    const begin = Math.max(0, waiter.from - this.#dropped);
    waiter.pattern.lastIndex = begin;
    const match = waiter.pattern.exec(this.#text);
    if (!match) return;
    const end = this.#dropped + match.index + match[0].length;
    if (waiter.moveCursor) this.#cursor = end;
    waiter.resolve({ match, seconds: this.#now(), end });
  }

  /** Calls `listener` for every line from now on; the result ends that. */
  onLine(listener: (line: ConsoleLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits until the console shows `pattern`. Output comes in pieces: a pattern for a whole line ends in `\n`, for `$`
   * would match where a piece happens to end. Rejects with a `ConsoleError`: `timeout`, `closed` when the machine has
   * ended without saying it, `aborted`. One `expect` without `from` at a time: they share the cursor.
   */
  expect(pattern: RegExp, options: ExpectOptions): Promise<Found> {
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    const flags = pattern.flags.replaceAll(/[gy]/g, '');
    const waiter: Waiter = {
      // `g` makes exec begin at lastIndex, so that ^ and lookbehind still see what stands before.
      pattern: new RegExp(pattern.source, `${flags}g`),
      from: options.from ?? this.#cursor,
      moveCursor: options.from === undefined,
      resolve,
      reject,
    };
    const seconds = options.timeoutMs / 1000;
    const timer = setTimeout(
      () => reject(this.#error('timeout', `The console did not show ${pattern} within ${seconds} s`)),
      options.timeoutMs,
    );
    const abort = () => reject(this.#error('aborted', `Waiting for ${pattern} was given up`));
    options.signal?.addEventListener('abort', abort, { once: true });
    this.#waiters.add(waiter);
    this.#try(waiter);
    if (options.signal?.aborted) abort();
    if (this.#closed !== undefined)
      reject(this.#error('closed', `${this.#closed} before the console showed ${pattern}`));
    return promise.finally(() => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
      this.#waiters.delete(waiter);
    });
  }

  #error(code: ConsoleError['code'], message: string): ConsoleError {
    const context = `${this.#text.slice(-8192)}`.split('\n').slice(-CONTEXT_LINES);
    return new ConsoleError(
      code,
      `${message}; its last lines:\n${context.map((line) => `  | ${line}`).join('\n')}`,
    );
  }

  /** No more output will come, because of `reason` ("The machine ended (exit status 1)"): fails every waiter. */
  close(reason: string): void {
    if (this.#closed !== undefined) return;
    // The last line, a prompt perhaps, had no line end.
    if (this.end > this.#lineStart) this.feed(new TextEncoder().encode('\n'));
    this.#closed = reason;
    for (const waiter of this.#waiters)
      waiter.reject(this.#error('closed', `${reason} before the console showed ${waiter.pattern}`));
  }
}
