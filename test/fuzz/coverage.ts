/**
 * What of the sources has run, from V8 itself: block coverage by the inspector's profiler, taken in the same thread.
 * (Node.js "inspector" and the DevTools protocol, Profiler.takePreciseCoverage.)
 */
import { type Profiler, Session } from 'node:inspector';

export interface Delta {
  /** Bytes of source that had never run before. */
  readonly fresh: number;
  merge(): void;
}

/** One byte for each byte of a script. Ranges lie inside each other: the innermost has the last word. */
function bytesThatRan(functions: readonly Profiler.FunctionCoverage[]): Uint8Array {
  const ranges = functions.flatMap((each) => each.ranges);
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  const bytes = new Uint8Array(ranges.reduce((most, range) => Math.max(most, range.endOffset), 0));
  for (const { startOffset, endOffset, count } of ranges)
    bytes.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return bytes;
}

export class Coverage {
  readonly #session = new Session();
  #sources: readonly string[] = [];
  /** Script URL -> one byte for each byte of source that has ever run. */
  readonly #seen = new Map<string, Uint8Array>();
  /** Bytes of source that have ever run. */
  total = 0;

  /** Modules must be loaded after this. */
  constructor() {
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** `sources`: parts of the paths whose coverage counts. */
  watch(sources: readonly string[]): void {
    this.#sources = sources;
  }

  /** What has run since the last call. It counts as seen only once it is merged. */
  take(): Delta {
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
    const ran = new Map<string, Uint8Array>();
    let fresh = 0;
    for (const { url, functions } of result) {
      if (!this.#sources.some((source) => url.includes(source))) continue;
      const bytes = bytesThatRan(functions);
      ran.set(url, bytes);
      const seen = this.#seen.get(url);
      for (let at = 0; at < bytes.length; at++) if (bytes[at] === 1 && seen?.[at] !== 1) fresh++;
    }
    return { fresh, merge: () => this.#merge(ran) };
  }

  close(): void {
    this.#post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #merge(ran: ReadonlyMap<string, Uint8Array>): void {
    for (const [url, bytes] of ran) {
      const old = this.#seen.get(url) ?? new Uint8Array(0);
      const seen = old.length >= bytes.length ? old : new Uint8Array(bytes.length);
      if (seen !== old) seen.set(old);
      for (let at = 0; at < bytes.length; at++) {
        if (bytes[at] === 0 || seen[at] === 1) continue;
        seen[at] = 1;
        this.total++;
      }
      this.#seen.set(url, seen);
    }
  }

  #post(method: string, parameters: object = {}): object {
    let answer: object | undefined;
    // The callback comes before `post` returns: the session is in the same thread.
    this.#session.post(method, parameters, (error, result) => {
      if (error) throw error;
      answer = result ?? {};
    });
    if (!answer) throw new Error(`The inspector did not answer ${method} at once`);
    return answer;
  }
}
