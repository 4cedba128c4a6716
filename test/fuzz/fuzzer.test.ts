/** The fuzzer finds what was planted. Without this, half a minute of silence would prove nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from './toys/deep.ts';
import { type FuzzOptions, type FuzzResult, fuzz } from './watch.ts';

const LIMIT_MS = 60_000;

const hunt = (toy: string, more: Partial<FuzzOptions> = {}): Promise<FuzzResult> =>
  fuzz({
    module: new URL(`./toys/${toy}.ts`, import.meta.url).href,
    ...{ milliseconds: LIMIT_MS, seed: 1, corpus: [] },
    ...more,
  });

test('a bug behind five right bytes is found, byte by byte, through coverage', async () => {
  const { finding, runs } = await hunt('deep');
  assert.equal(finding?.kind, 'exception');
  assert.match(finding.message, /TypeError/);
  assert.throws(() => parse(finding.input), TypeError, 'the input that is reported is the one that does it');
  assert.equal(finding.input.toString('latin1', 0, 4), 'SWAR');
  assert.ok(runs < 2 ** 30, 'by chance it would have taken 2^32 inputs and more');
});

test('the same seed finds the same input after as many tries', async () => {
  const [first, second, other] = [await hunt('deep'), await hunt('deep'), await hunt('deep', { seed: 2 })];
  assert.deepEqual(second.finding?.input, first.finding?.input);
  assert.equal(second.runs, first.runs);
  assert.notDeepEqual([other.runs, other.finding?.input], [first.runs, first.finding?.input]);
});

test('a broken property is found', async () => {
  const { finding } = await hunt('round-trip');
  assert.equal(finding?.kind, 'exception');
  assert.match(finding.message, /AssertionError/);
});

test('a hang is found and does not hang the test', async () => {
  const { finding } = await hunt('hang', { inputMs: 1000 });
  assert.equal(finding?.kind, 'hang');
  assert.ok(finding.input.includes(0));
});

test('memory that an input makes out of nothing is found', async () => {
  const { finding } = await hunt('memory', { memoryMiB: 64 });
  // The input is the one that ran when memory was looked at, which need not be the one that took it.
  assert.equal(finding?.kind, 'memory');
});

test('what is thrown later, in a promise, is found', async () => {
  const { finding } = await hunt('later');
  assert.equal(finding?.kind, 'exception');
  assert.match(finding.message, /SyntaxError/);
});

test('a parser without a bug is left in peace, and its inputs are kept', async () => {
  const result = await fuzz({
    module: new URL('./targets/extended-handshake.ts', import.meta.url).href,
    ...{ milliseconds: 1500, seed: 1, corpus: [Buffer.from('de')] },
  });
  assert.equal(result.finding, undefined);
  assert.ok(result.runs > 100 && result.interesting.length > 5 && result.covered > 100);
});
