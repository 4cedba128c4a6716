/** The bundle that the Debian package ships, run as there: without node_modules. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildServer } from '../../scripts/build-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'swarmboot-bundle-'));
const bundle = join(folder, 'server');
after(() => rmSync(folder, { recursive: true, force: true }));
before(() => buildServer(bundle));

const swarmboot = (...args: string[]) =>
  spawnSync(process.execPath, [join(bundle, 'main.js'), ...args], { encoding: 'utf8', timeout: 30_000 });

test('it makes and shows a key', () => {
  assert.equal(swarmboot('key', 'generate', '--config', folder).status, 0);
  assert.match(swarmboot('key', 'show', '--config', folder).stdout, /^untrusted comment: /);
});

test('each command loads and explains itself', () => {
  for (const command of ['key', 'stage1', 'image', 'serve', 'dnsmasq']) {
    const { status, stdout, stderr } = swarmboot(command, '--help');
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(`^Usage: swarmboot ${command}`));
  }
});

test('the same sources give the same bytes', async () => {
  const again = join(folder, 'again');
  await buildServer(again);
  assert.deepEqual(readdirSync(again).sort(), readdirSync(bundle).sort());
  execFileSync('diff', ['--recursive', bundle, again], { timeout: 10_000 });
});

test('every file that the server reads beside its sources is in the bundle', () => {
  const root = join(import.meta.dirname, '../..');
  const sources = globSync('{server,contract,torrent}/**/*.{ts,tsx}', { cwd: root });
  const readers = sources.filter((path) =>
    readFileSync(join(root, path), 'utf8').includes('import.meta.dirname'),
  );
  // One that is not in this list: see READ_AT_RUN_TIME in scripts/build-server.ts.
  assert.deepEqual(readers.sort(), ['server/image/boot-cpio.ts', 'server/image/seed-content.ts']);
  for (const name of readdirSync(join(root, 'server/image/initramfs')))
    assert.ok(readdirSync(join(bundle, 'initramfs')).includes(name), name);
});
