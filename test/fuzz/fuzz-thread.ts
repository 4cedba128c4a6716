/** The thread that runs a target; see watch.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import { explore } from './explore.ts';
import type { TargetModule } from './target.ts';
import { INPUT_BYTES, LENGTH_WORDS, type WorkerData, type WorkerMessage } from './watch.ts';

const { module, seed, milliseconds, corpus, shared, memoryBytes } = workerData as WorkerData;
const words = new Int32Array(shared, 0, LENGTH_WORDS);
const place = new Uint8Array(shared, 4 * LENGTH_WORDS, INPUT_BYTES);
const say = (message: WorkerMessage): void => parentPort!.postMessage(message);
const fail = (error: unknown): void =>
  say({ type: 'failed', kind: 'exception', message: (error as Error)?.stack ?? String(error) });

// What a parser throws later, in a callback or a promise of its own, is a finding too.
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

/** Memory that no heap limit bounds: buffers. Looked at now and then, for it takes a while to count. */
const LOOK_EVERY = 64;
let slowestMs = 0;

const coverage = new Coverage();
const { makeTarget } = (await import(module)) as TargetModule;
const target = await makeTarget();
coverage.watch(target.sources);
const endsAt = performance.now() + milliseconds;

try {
  const explored = await explore({
    target,
    coverage,
    seed,
    corpus: corpus.map((input) => Buffer.from(input)),
    isOver: () => performance.now() > endsAt,
    before: (input) => {
      place.set(input.subarray(0, INPUT_BYTES));
      Atomics.store(words, 1, input.length);
      Atomics.add(words, 0, 1);
    },
    after: (ms) => {
      slowestMs = Math.max(slowestMs, ms);
      if (Atomics.load(words, 0) % LOOK_EVERY !== 0 && ms < 5) return;
      const { arrayBuffers, external } = process.memoryUsage();
      if (Math.max(arrayBuffers, external) <= memoryBytes) return;
      say({ type: 'failed', kind: 'memory', message: `${arrayBuffers} bytes of buffers are in use` });
    },
  });
  await target.close?.();
  say({ type: 'done', explored, slowestMs });
} catch (error) {
  fail(error);
}
