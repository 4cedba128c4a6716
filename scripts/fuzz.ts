/**
 * Searches longer than the suite does, and keeps what it finds.
 *
 *   node scripts/fuzz.ts TARGET... [--seconds N] [--seed N] [--keep]
 *
 * Targets are the files of test/fuzz/targets; `all` means each. --keep replaces the target's folder in test/fuzz/corpus by the
 * smallest inputs that show everything that was seen. A finding is written to test/fuzz/crashes, and the exit status is 1.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { corpusOf, keptOf, moduleOf, nameOf } from '../test/fuzz/kept.ts';
import { fuzz } from '../test/fuzz/watch.ts';

const folder = join(import.meta.dirname, '../test/fuzz');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    keep: { type: 'boolean', default: false },
  },
});
const all = readdirSync(join(folder, 'targets'))
  .filter((file) => file.endsWith('.ts') && file !== 'scripted-socket.ts')
  .map((file) => file.slice(0, -3));
const targets = positionals.includes('all') ? all : positionals;
if (targets.length === 0) console.log(`Name a target, or "all": ${all.join(' ')}`);

const bySize = (a: Buffer, b: Buffer): number => a.length - b.length || Buffer.compare(a, b);

for (const target of targets) {
  const search = (corpus: readonly Buffer[], seconds: number) =>
    fuzz({ module: moduleOf(target), milliseconds: seconds * 1000, seed: Number(values.seed), corpus });
  const found = await search(keptOf(target), Number(values.seconds));
  console.log(
    `${target}: ${found.runs} inputs, ${found.interesting.length} interesting, ${found.covered} bytes of source, seed ${values.seed}`,
  );
  if (found.finding) {
    const file = join(folder, 'crashes', `${target}-${nameOf(found.finding.input)}`);
    mkdirSync(join(folder, 'crashes'), { recursive: true });
    writeFileSync(file, found.finding.input);
    console.log(`  ${found.finding.kind}: ${found.finding.message}\n  ${file}`);
    process.exitCode = 1;
    continue;
  }
  if (!values.keep) continue;
  // The smallest first: larger ones that show nothing more are not kept. No time: only what is there runs.
  const smallest = (await search(found.interesting.toSorted(bySize), 0)).interesting.slice(0, 200);
  rmSync(corpusOf(target), { recursive: true, force: true });
  mkdirSync(corpusOf(target), { recursive: true });
  for (const input of smallest) writeFileSync(join(corpusOf(target), nameOf(input)), input);
  console.log(`  kept ${smallest.length}, ${smallest.reduce((sum, input) => sum + input.length, 0)} bytes`);
}
