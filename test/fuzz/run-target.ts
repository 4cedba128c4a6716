/** One target as a test: the kept corpus first, then the search, for as long as `scripts/test` has for it. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { corpusOf, keptOf, moduleOf, nameOf } from './kept.ts';
import { fuzz } from './watch.ts';

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 30);
/** Another one each day: the suite looks further, and a day's findings can be repeated. */
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Date.now() / 86_400_000));

/** `fewestRuns`: below this, the target did not really run. */
export function fuzzTest(name: string, fewestRuns: number): void {
  test(`${name}: no input of a stranger breaks it`, async (t) => {
    const corpus = keptOf(name);
    const result = await fuzz({ module: moduleOf(name), milliseconds: SECONDS * 1000, seed: SEED, corpus });
    const { finding, runs, interesting, covered, outcomes, slowestMs } = result;
    if (finding) {
      const crashes = join(import.meta.dirname, 'crashes');
      mkdirSync(crashes, { recursive: true });
      const file = join(crashes, `${name}-${nameOf(finding.input)}`);
      writeFileSync(file, finding.input);
      assert.fail(
        `${finding.kind} after ${runs} inputs, seed ${SEED}: ${finding.message}\n` +
          `The input is in ${file}; put it into ${corpusOf(name)} when it is mended`,
      );
    }
    t.diagnostic(
      `${runs} inputs, ${interesting.length} interesting (${corpus.length} kept), ${covered} bytes of source, ` +
        `${outcomes.length} outcomes, slowest ${slowestMs.toFixed(0)} ms, seed ${SEED}`,
    );
    assert.ok(runs >= fewestRuns, `only ${runs} inputs were tried`);
    assert.ok(
      interesting.length > 1,
      'nothing that was tried was new: the target is not steered by what runs',
    );
  });
}
