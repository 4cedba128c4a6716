/**
 * Runs the test suites and ends with one line, `N passed, N failed`, which CI and people read.
 *
 * Suites, from quick to slow:
 *   check    types, style, import rules, generated docs (each counts as one test)
 *   unit     test/<room>: no root, no network but loopback, under a minute
 *   fuzz     test/fuzz: every parser of strangers' bytes, half a minute each
 *   system   test/system: root, namespaces, real BitTorrent clients, image builds; fuzz runs beside it
 *   vm       test/vm: QEMU machines that boot through PXE
 *   long     test/vm/long: only with --all
 * Usage: node scripts/run-tests.ts [--quick | --all] [--suite NAME]... [-- FILE...]
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');

interface Suite {
  readonly name: string;
  readonly files: readonly string[];
  /** Test files that run side by side; machines that boot have the host to themselves. */
  readonly concurrency: number;
  /** Runs at the same time as the suite before it, if that runs too, one file after another. */
  readonly beside?: boolean;
  /** Reads code coverage, which is less precise of functions that come out of the compile cache. */
  readonly readsCoverage?: boolean;
  /** No test file may take longer, and no single test, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Node's own (module.enableCompileCache): the programs of a test strip and compile the same TypeScript again and again, which is
 * most of what they do.
 */
const COMPILE_CACHE = join(root, '.cache/compile');

const SLOW = ['test/fuzz/', 'test/system/', 'test/vm/'];
const glob = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();

const SUITES: readonly Suite[] = [
  {
    name: 'unit',
    files: glob('test/**/*.test.ts').filter((file) => !SLOW.some((folder) => file.startsWith(folder))),
    concurrency: availableParallelism(),
    timeoutMs: 60_000,
  },
  // Two at a time: most of them wait for timers, for other clients' beats and for each other's packets.
  { name: 'system', files: glob('test/system/**/*.test.ts'), concurrency: 2, timeoutMs: 600_000 },
  // Fuzzing is the opposite: half a minute of one core each.
  {
    name: 'fuzz',
    files: glob('test/fuzz/*.test.ts'),
    concurrency: availableParallelism(),
    beside: true,
    readsCoverage: true,
    timeoutMs: 180_000,
  },
  { name: 'vm', files: glob('test/vm/*.test.ts'), concurrency: 1, timeoutMs: 900_000 },
  { name: 'long', files: glob('test/vm/long/**/*.test.ts'), concurrency: 1, timeoutMs: 3_600_000 },
];

const CHECKS = ['check:types', 'check:style', 'check:rooms', 'check:docs'] as const;
/** Longest that one check may take, in milliseconds. */
const CHECK_TIMEOUT_MS = 300_000;

interface Count {
  passed: number;
  failed: number;
}

/** Runs one npm script; its output is shown only when it fails. */
async function runCheck(name: string): Promise<boolean> {
  const child = spawn('npm', ['run', '--silent', name], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: CHECK_TIMEOUT_MS,
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(-1));
    child.on('close', (status) => resolve(status ?? -1));
  });
  console.log(`${code === 0 ? '✔' : '✖'} ${name}`);
  if (code !== 0) process.stdout.write(Buffer.concat(output));
  return code === 0;
}

/** Runs the files of a suite with node:test and counts leaf tests, a crashed file as one failure. */
async function runSuite(suite: Suite, output: NodeJS.WritableStream): Promise<Count> {
  const { name, files } = suite;
  const count: Count = { passed: 0, failed: 0 };
  output.write(`\n# ${name}: ${files.length} files\n`);
  const stream = run({
    files: files.map((file) => join(root, file)),
    concurrency: suite.concurrency,
    timeout: suite.timeoutMs,
    cwd: root,
    env: suite.readsCoverage ? process.env : { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  // A suite is a frame around tests: counting it too would count its failures twice.
  stream.on('test:pass', (event) => {
    if (event.details.type !== 'suite' && !event.skip) count.passed++;
  });
  stream.on('test:fail', (event) => {
    if (event.details.type !== 'suite') count.failed++;
  });
  const reporter = stream.compose(new spec());
  reporter.pipe(output, { end: false });
  await new Promise<void>((resolve, reject) => reporter.on('end', resolve).on('error', reject));
  if (count.passed + count.failed === 0) count.failed = 1; // a suite in which nothing ran is a failure
  return count;
}

/** Runs suites at the same time. The first one's output is seen as it comes, that of the others afterwards, in one piece. */
async function runTogether([first, ...others]: readonly Suite[]): Promise<Count[]> {
  const waiting = others.map((suite) => {
    const kept: Buffer[] = [];
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        kept.push(chunk);
        done();
      },
    });
    return { counted: runSuite({ ...suite, concurrency: 1 }, output), kept };
  });
  const counts = first ? [await runSuite(first, process.stdout)] : [];
  for (const { counted, kept } of waiting) {
    counts.push(await counted);
    process.stdout.write(Buffer.concat(kept));
  }
  return counts;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      suite: { type: 'string', multiple: true, default: [] },
    },
  });
  const wanted =
    values.suite.length > 0
      ? values.suite
      : values.quick
        ? ['unit']
        : ['check', 'unit', 'system', 'fuzz', 'vm', ...(values.all ? ['long'] : [])];
  const total: Count = { passed: 0, failed: 0 };
  const startedMs = performance.now();
  if (wanted.includes('check') && positionals.length === 0) {
    console.log('# check');
    for (const name of CHECKS) (await runCheck(name)) ? total.passed++ : total.failed++;
  }
  const chosen = SUITES.filter(({ name }) => wanted.includes(name))
    .map((suite) => ({
      ...suite,
      files: suite.files.filter(
        (file) => positionals.length === 0 || positionals.some((part) => file.includes(part)),
      ),
    }))
    .filter(({ files }) => files.length > 0);
  while (chosen.length > 0) {
    const alone = chosen.findIndex(({ beside }, index) => index > 0 && !beside);
    const together = chosen.splice(0, alone < 0 ? chosen.length : alone);
    for (const { passed, failed } of await runTogether(together)) {
      total.passed += passed;
      total.failed += failed;
    }
  }
  const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
  console.log(`\n${minutes} minutes`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

await main();
