/** A connection whose other end says exactly what a script holds, whatever it hears, and hangs up. */
import { Duplex } from 'node:stream';

export class ScriptedSocket extends Duplex {
  readonly #chunks: Buffer[];

  /** `cut`: length of each chunk in bytes; 0: all at once. */
  constructor(script: Buffer, cut: number) {
    super();
    const step = cut > 0 ? Math.max(cut, Math.ceil(script.length / 64)) : Math.max(1, script.length);
    this.#chunks = [];
    for (let at = 0; at < script.length; at += step) this.#chunks.push(script.subarray(at, at + step));
  }

  override _read(): void {
    const chunk = this.#chunks.shift();
    // The client must have asked first, or its parser is not there yet.
    setImmediate(() => {
      if (!this.destroyed) this.push(chunk ?? null);
    });
  }

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }

  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
