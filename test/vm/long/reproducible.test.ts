/**
 * Whoever builds the packages gets the same bytes: the checkout's own against a build in another folder, with nothing
 * built or downloaded before, under another umask, time zone and user's folder. diffoscope compares them.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { before, test } from 'node:test';
import { buildDebs, DEB_BUILD_ENVIRONMENT } from './package/build-debs.ts';

const ROOT = join(import.meta.dirname, '../../..');
const BUILD_TIMEOUT_MS = 1_500_000;
const COPY = `set -e
git -C "$1" ls-files -z --cached --others --exclude-standard | tar -C "$1" --create --null --files-from=- --file=- | tar -C "$2" --extract
cp -a "$1/node_modules" "$2/node_modules"
git -C "$2" init --quiet`;

let first: string[];
before(() => {
  first = buildDebs();
});

test('two builds in two folders: diffoscope finds no difference in any package', () => {
  assert.equal(first.length, 5);
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-again-'));
  const checkout = join(folder, 'another/name');
  try {
    mkdirSync(checkout, { recursive: true });
    execFileSync('sh', ['-c', COPY, 'sh', ROOT, checkout], { timeout: BUILD_TIMEOUT_MS });
    execFileSync('sh', ['-c', 'umask 027; exec scripts/build-deb'], {
      cwd: checkout,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: BUILD_TIMEOUT_MS,
      maxBuffer: 64 * 2 ** 20,
      env: { ...process.env, ...DEB_BUILD_ENVIRONMENT, TZ: 'Pacific/Auckland', HOME: folder },
    });
    const differ = first.flatMap((path) => {
      const other = join(checkout, 'dist/deb', basename(path));
      const { status, stdout, stderr } = spawnSync(
        'diffoscope',
        ['--max-text-report-size=20000', path, other],
        {
          encoding: 'utf8',
          timeout: BUILD_TIMEOUT_MS,
          maxBuffer: 64 * 2 ** 20,
        },
      );
      assert.ok(status === 0 || status === 1, stderr);
      return status === 0 ? [] : [stdout];
    });
    assert.deepEqual(differ, [], differ.join('\n'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
