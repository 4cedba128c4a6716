/**
 * Runs a target in a thread of its own and watches it: an input that hangs cannot be interrupted from inside, and one
 * that eats all memory takes its thread with it. The input that is running stands in shared memory, so it is known even then.
 */
import { Worker } from 'node:worker_threads';
import type { Explored } from './explore.ts';

export interface FuzzOptions {
  /** URL of a module that exports `makeTarget`. */
  readonly module: string;
  readonly milliseconds: number;
  readonly seed: number;
  readonly corpus: readonly Buffer[];
  /** Longest that one input may take. Generous by default: a busy machine is no finding. */
  readonly inputMs?: number;
  /** JS heap of the thread, and buffers beside it, each; in MiB. */
  readonly memoryMiB?: number;
}

export interface Finding {
  readonly kind: 'exception' | 'hang' | 'memory';
  readonly input: Buffer;
  readonly message: string;
}

export interface FuzzResult extends Explored {
  readonly finding: Finding | undefined;
  /** Slowest input, in ms. */
  readonly slowestMs: number;
}

/** Layout of the shared memory: [inputs begun, length of the running one, its bytes...]. */
export const LENGTH_WORDS = 2;
export const INPUT_BYTES = 2 ** 20;

export interface WorkerData {
  readonly module: string;
  readonly seed: number;
  readonly milliseconds: number;
  readonly corpus: readonly Uint8Array[];
  readonly shared: SharedArrayBuffer;
  readonly memoryBytes: number;
}

export type WorkerMessage =
  | { readonly type: 'done'; readonly explored: Explored; readonly slowestMs: number }
  | { readonly type: 'failed'; readonly kind: 'exception' | 'memory'; readonly message: string };

const LOOK_MS = 200;
/** To load the target and its sources, and to say farewell. */
const START_MS = 60_000;

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { inputMs = 10_000, memoryMiB = 384 } = options;
  const shared = new SharedArrayBuffer(4 * LENGTH_WORDS + INPUT_BYTES);
  const words = new Int32Array(shared, 0, LENGTH_WORDS);
  const data: WorkerData = {
    module: options.module,
    seed: options.seed,
    milliseconds: options.milliseconds,
    corpus: options.corpus,
    shared,
    memoryBytes: memoryMiB * 2 ** 20,
  };
  const worker = new Worker(new URL('./fuzz-thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
  });
  const running = (): Buffer => Buffer.from(Buffer.from(shared, 4 * LENGTH_WORDS, Atomics.load(words, 1)));
  const finding = (kind: Finding['kind'], message: string): FuzzResult => ({
    finding: { kind, input: running(), message },
    ...{ runs: Atomics.load(words, 0), interesting: [], covered: 0, outcomes: [], slowestMs: 0 },
  });

  const { promise, resolve } = Promise.withResolvers<FuzzResult>();
  worker.on('message', (message: WorkerMessage) => {
    if (message.type === 'failed') resolve(finding(message.kind, message.message));
    else {
      const interesting = message.explored.interesting.map((input) => Buffer.from(input));
      resolve({ ...message.explored, interesting, slowestMs: message.slowestMs, finding: undefined });
    }
  });
  worker.on('error', (error: NodeJS.ErrnoException) => {
    const kind = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'exception';
    resolve(finding(kind, error.stack ?? String(error)));
  });
  worker.on('exit', (code) => resolve(finding('exception', `The thread ended with ${code}`)));

  let begun = -1;
  let since = performance.now();
  const look = setInterval(() => {
    const now = performance.now();
    const count = Atomics.load(words, 0);
    if (count !== begun) {
      begun = count;
      since = now;
    } else if (now - since > (count === 0 ? START_MS : inputMs)) {
      resolve(finding('hang', `One input has been running for ${Math.round(now - since)} ms`));
    }
  }, LOOK_MS);
  const result = await promise;
  clearInterval(look);
  await worker.terminate();
  return result;
}
