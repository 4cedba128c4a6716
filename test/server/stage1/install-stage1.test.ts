import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createKeyFiles } from '../../../server/catalog/keys.ts';
import { installStage1 } from '../../../server/stage1/install-stage1.ts';
import { readCpio } from '../../contract/read-cpio.ts';
import { temporaryFolder } from '../temporary-folder.ts';

function site(initrd = 'keyless initrd.'): { from: string; into: string; config: string } {
  const folder = temporaryFolder('stage1');
  const from = join(folder, 'package');
  mkdirSync(from);
  writeFileSync(join(from, 'vmlinuz'), 'the signed kernel', { mode: 0o600 });
  writeFileSync(join(from, 'initrd.img'), initrd, { mode: 0o600 });
  return { from, into: join(folder, 'state/stage1/amd64'), config: join(folder, 'config') };
}

test("the site's key stands behind the package's initrd, and everyone may read the files", async () => {
  const options = site();
  createKeyFiles(options.config, false);
  const bytes = await installStage1(options);
  const initrd = readFileSync(join(options.into, 'initrd.img'));
  assert.equal(initrd.subarray(0, 15).toString(), 'keyless initrd.');
  const key = readCpio(initrd.subarray(16)).members.at(-1);
  assert.equal(key?.path, 'etc/swarmboot/release.pub');
  assert.equal(key.data.toString(), readFileSync(join(options.config, 'release.pub'), 'utf8'));
  assert.equal(bytes, 'the signed kernel'.length + initrd.length);
  for (const name of ['vmlinuz', 'initrd.img'])
    assert.equal(statSync(join(options.into, name)).mode & 0o777, 0o644, name);
});

test('an older stage-1 is replaced, and nothing is left beside it', async () => {
  const options = site();
  createKeyFiles(options.config, false);
  await installStage1(options);
  writeFileSync(join(options.from, 'initrd.img'), 'newer initrd');
  await installStage1(options);
  assert.match(readFileSync(join(options.into, 'initrd.img'), 'latin1'), /^newer initrd/);
  assert.deepEqual(readdirSync(join(options.into, '..')), ['amd64']);
});

test('without a key, or without the package, a sentence says what to do and nothing is written', async () => {
  const options = site();
  await assert.rejects(installStage1(options), { code: 'missing-key' });
  createKeyFiles(options.config, false);
  await assert.rejects(installStage1({ ...options, from: '/nowhere' }), {
    code: 'missing-stage1',
    message: /no stage-1 in \/nowhere; install the package swarmboot-stage1-amd64/,
  });
  assert.throws(() => statSync(options.into));
});
