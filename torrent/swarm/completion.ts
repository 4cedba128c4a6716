/** Whether everything is here: settled once, awaited by any number, each with a deadline of its own. */
export class Completion {
  readonly #settled = Promise.withResolvers<void>();

  constructor() {
    // Nobody may be waiting; `wait` hands the rejection to those who do.
    this.#settled.promise.catch(() => {});
  }

  resolve(): void {
    this.#settled.resolve();
  }

  /** Has no effect on what is complete. */
  reject(reason: Error): void {
    this.#settled.reject(reason);
  }

  /** Rejects with the reason of `reject`, or with the signal's. */
  async wait(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (!signal) {
      await this.#settled.promise;
      return;
    }
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.#settled.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
