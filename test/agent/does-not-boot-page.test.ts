/** docs/admin/does-not-boot.md: what a screen may say is explained there, and what is explained there can be said. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, code = '']) => code);

/** Codes of commands that people run on a running system, and of a phase that is over: no boot ends with them. */
const NEVER_AT_BOOT = ['interrupted', 'no-handover', 'phase-over', 'seed-failed', 'stuck'];
/** Their second half says what was wrong with the file. */
const FAMILY = /^(?:manifest|signature|metainfo)-/;

const agent = globSync('agent/**/*.ts', { cwd: root }).map(read).join('\n');
const said = new Set([
  ...found(agent, /new BootError\(\s*'([a-z-]+)'/g),
  // The refusals of a plan, by their type.
  ...found(/ code: (.*);/.exec(read('agent/handoff/plan.ts'))?.[1] ?? '', /'([a-z-]+)'/g),
  ...found(read('initramfs/init'), /say "error ([a-z0-9-]+):/g),
]);
const [, table = ''] = /\n## In stage-1\n([\s\S]*?)\n## /.exec(read('docs/admin/does-not-boot.md')) ?? [];
const explained = new Set(
  table.split('\n').flatMap((line) => found(line.split(' | ')[0] ?? '', /`([a-z0-9-]+)`/g)),
);

test('each code of a boot that fails is in the table', () => {
  assert.ok(said.size > 20, [...said].join());
  const absent = [...said].filter((code) => !explained.has(code) && !NEVER_AT_BOOT.includes(code));
  assert.deepEqual(absent.sort(), ['metainfo-mismatch'], 'which is one of its "other metainfo-..."');
});

test('each code of the table can be on a screen', () => {
  assert.ok(explained.size > 20, table);
  const invented = [...explained].filter((code) => !said.has(code) && !FAMILY.test(code));
  assert.deepEqual(invented, []);
});
