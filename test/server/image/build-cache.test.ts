import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RELEASE_FILES } from '../../../server/catalog/layout.ts';
import { CACHE_AGE_LIMIT_MS, cachedBuild, linkOrCopy } from '../../../server/image/build-cache.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const cache = temporaryFolder('build-cache');
let builds = 0;
const build = async (folder: string): Promise<void> => {
  builds++;
  for (const name of Object.values(RELEASE_FILES)) writeFileSync(join(folder, name), `build ${builds}`);
};
const nowMs = Date.now();

test('the same recipe is built once, until it is old or refreshed', async () => {
  const take = (options: { refresh?: boolean; nowMs?: number } = {}) =>
    cachedBuild(cache, 'key', { refresh: false, nowMs, ...options }, build);
  assert.equal((await take()).ageMs, undefined);
  assert.equal((await take({ nowMs: nowMs + 5000 })).ageMs, 5000);
  assert.equal(builds, 1);
  await take({ refresh: true });
  assert.equal(builds, 2);
  await take({ nowMs: nowMs + CACHE_AGE_LIMIT_MS });
  assert.equal(builds, 3);
});

test('a build that fails leaves nothing, an incomplete entry is not used, a very old one is removed', async () => {
  const failing = cachedBuild(cache, 'other', { refresh: false, nowMs }, async (folder) => {
    writeFileSync(join(folder, RELEASE_FILES.kernel), 'half');
    throw new Error('mirror gone');
  });
  await assert.rejects(failing, /mirror gone/);
  assert.deepEqual(readdirSync(join(cache, 'images')), ['key']);
  assert.equal(statSync(join(cache, 'images')).mode & 0o777, 0o700, 'password hashes are not for everyone');

  mkdirSync(join(cache, 'images', 'half'));
  writeFileSync(join(cache, 'images', 'half', RELEASE_FILES.kernel), '');
  const before = builds;
  await cachedBuild(cache, 'half', { refresh: false, nowMs }, build);
  assert.equal(builds, before + 1);

  const old = join(cache, 'images', 'half');
  utimesSync(old, 1, 1);
  await cachedBuild(cache, 'third', { refresh: false, nowMs }, build);
  assert.equal(existsSync(old), false);
});

test('linkOrCopy shares the file where it can', async () => {
  const [from, to] = [join(cache, 'from'), join(cache, 'to')];
  writeFileSync(from, 'x');
  await linkOrCopy(from, to, copyFile);
  assert.equal(statSync(from).ino, statSync(to).ino);
});
