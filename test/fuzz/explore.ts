/**
 * The search: runs inputs in batches, looks at the coverage after each batch, finds by halving which inputs of a batch
 * brought something new, and keeps those as parents of the next ones. Taking coverage costs milliseconds, running most
 * parsers microseconds; so it is the batch that makes this fast.
 *
 * With the same seed and corpus the same inputs are tried in the same order; only how far it gets depends on time.
 */
import type { Coverage } from './coverage.ts';
import { type Material, mutate } from './mutate.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';

export interface ExploreOptions {
  readonly target: Target;
  readonly coverage: Coverage;
  readonly seed: number;
  /** Inputs that were kept earlier. */
  readonly corpus: readonly Buffer[];
  /** True when the time is over. */
  readonly isOver: () => boolean;
  /** Called with each input before it runs, and after it: whoever watches knows what hangs or crashes. */
  readonly before: (input: Buffer) => void;
  readonly after: (milliseconds: number) => void;
}

export interface Explored {
  readonly runs: number;
  /** Inputs that each showed something that those before did not. */
  readonly interesting: readonly Buffer[];
  /** Bytes of source that ran. */
  readonly covered: number;
  readonly outcomes: readonly string[];
}

const BATCH = 256;
const MAX_BYTES = 4096;

export async function explore(options: ExploreOptions): Promise<Explored> {
  const { target, coverage, isOver } = options;
  const random = new Random(options.seed);
  const interesting: Buffer[] = [];
  const outcomes = new Set<string>();
  const dictionary = (target.dictionary ?? []).map((word) => Buffer.from(word as string));
  const maxBytes = target.maxBytes ?? MAX_BYTES;
  const batchLength = target.batch ?? BATCH;
  let runs = 0;

  const run = async (input: Buffer): Promise<string> => {
    runs++;
    options.before(input);
    const began = performance.now();
    // A target that writes into its input must not spoil the corpus.
    const outcome = target.run(Buffer.from(input));
    const word = typeof outcome === 'string' ? outcome : await outcome;
    options.after(performance.now() - began);
    return word;
  };

  /** Runs the inputs and, if they brought something new together, their halves, down to those that did. */
  const search = async (inputs: readonly Buffer[], whenOver: 'stop' | 'finish'): Promise<void> => {
    const words = new Set<string>();
    for (const input of inputs) words.add(await run(input));
    const delta = coverage.take();
    if (delta.fresh === 0 && [...words].every((word) => outcomes.has(word))) return;
    if (inputs.length === 1) interesting.push(inputs[0]!);
    else if (whenOver === 'finish' || !isOver()) {
      const middle = inputs.length >> 1;
      await search(inputs.slice(0, middle), whenOver);
      await search(inputs.slice(middle), whenOver);
    }
    // Also what none of the halves showed again, or it would be searched for in every batch.
    delta.merge();
    for (const word of words) outcomes.add(word);
  };

  coverage.take().merge();
  const first = [...target.seeds, ...options.corpus].map((input) => Buffer.from(input.subarray(0, maxBytes)));
  for (let begin = 0; begin < first.length; begin += batchLength)
    await search(first.slice(begin, begin + batchLength), 'finish');
  if (interesting.length === 0) interesting.push(...first.slice(0, 1));
  while (!isOver()) {
    const material: Material = { corpus: interesting, dictionary, maxBytes };
    const batch = Array.from({ length: batchLength }, () => {
      // What was found last is the least explored.
      const parent = random.chance(0.3)
        ? interesting[interesting.length - 1 - random.below(Math.min(8, interesting.length))]!
        : random.of(interesting);
      return target.mutate && random.chance(0.5)
        ? target.mutate(parent, random, interesting).subarray(0, maxBytes)
        : mutate(parent, random, material);
    });
    await search(batch, 'stop');
  }
  return { runs, interesting, covered: coverage.total, outcomes: [...outcomes].sort() };
}
