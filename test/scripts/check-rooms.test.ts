import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSources, violations } from '../../scripts/check-rooms.ts';

const planted = (path: string, text: string) => violations([{ path, text }]);

test('the tree keeps its own rules', () => {
  const files = readSources(join(import.meta.dirname, '../..'));
  assert.ok(files.some((file) => file.path === 'contract/manifest.ts'));
  assert.deepEqual(violations(files), []);
});

test('a planted import across rooms is found', () => {
  assert.match(
    planted('torrent/swarm.ts', `import { x } from '../agent/boot.ts';`)[0] ?? '',
    /torrent\/ may import nothing of ours/,
  );
  assert.match(
    planted('agent/boot.ts', `import { x } from '../torrent/policy/picker.ts';`)[0] ?? '',
    /agent\/ may import/,
  );
  assert.match(
    planted('agent/boot.ts', `const x = await import('../server/http.ts');`)[0] ?? '',
    /agent\/ may import/,
  );
  assert.match(
    planted('server/a/b.ts', `export * from '../../agent/boot.ts';`)[0] ?? '',
    /server\/ may import/,
  );
  assert.match(
    planted('qemu/lab.ts', `import type { M } from '../contract/manifest.ts';`)[0] ?? '',
    /nothing of ours/,
  );
});

test('allowed imports pass', () => {
  assert.deepEqual(
    planted(
      'agent/boot.ts',
      `import { Swarm } from '../torrent/index.ts';\nimport { a } from './phases/a.ts';`,
    ),
    [],
  );
  assert.deepEqual(planted('agent/phases/swarm.ts', `import { M } from '../../contract/manifest.ts';`), []);
  assert.deepEqual(
    planted('torrent/wire/framer.ts', `import { a } from '../bencode.ts';\nimport net from 'node:net';`),
    [],
  );
});

test('planted clock, randomness, timer and IO in pure code are found', () => {
  assert.match(planted('torrent/policy/picker.ts', 'const now = Date.now();')[0] ?? '', /a clock/);
  assert.match(planted('torrent/policy/picker.ts', 'const r = Math.random();')[0] ?? '', /randomness/);
  assert.match(planted('torrent/policy/choker.ts', 'setTimeout(() => {}, 1);')[0] ?? '', /a timer/);
  assert.match(planted('agent/handoff/plan.ts', `import fs from 'node:fs';`)[0] ?? '', /pure/);
});

test('comments do not count', () => {
  assert.deepEqual(
    planted('torrent/policy/picker.ts', '// unlike Date.now(), now is an argument\n/* Math.random */'),
    [],
  );
});
