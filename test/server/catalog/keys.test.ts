import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { signBytes, verifyBytes } from '../../../contract/signify.ts';
import { createKeyFiles, loadPublicKey, loadSecretKey } from '../../../server/catalog/keys.ts';
import { Failure, type FailureCode } from '../../../server/failure.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder('keys');
const fails = (code: FailureCode, message: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === code && message.test(error.message);

test('makes a pair that belongs together, the secret one for its owner only', () => {
  const config = join(folder, 'new', 'config');
  createKeyFiles(config, false);
  assert.equal(statSync(join(config, 'release.sec')).mode & 0o777, 0o600);
  const signature = signBytes(loadSecretKey(config), Buffer.from('x'), 'c');
  verifyBytes(loadPublicKey(config), Buffer.from('x'), signature);
});

test('never replaces a key unless told to', () => {
  const config = join(folder, 'kept');
  createKeyFiles(config, false);
  const before = readFileSync(join(config, 'release.sec'), 'utf8');
  assert.throws(() => createKeyFiles(config, false), fails('key-exists', /--force/));
  assert.equal(readFileSync(join(config, 'release.sec'), 'utf8'), before);
  createKeyFiles(config, true);
  assert.notEqual(readFileSync(join(config, 'release.sec'), 'utf8'), before);
  assert.equal(statSync(join(config, 'release.sec')).mode & 0o777, 0o600);
  verifyBytes(
    loadPublicKey(config),
    Buffer.from('x'),
    signBytes(loadSecretKey(config), Buffer.from('x'), 'c'),
  );
});

test('a missing or damaged key says which file and what to do', () => {
  const config = join(folder, 'damaged');
  assert.throws(
    () => loadPublicKey(config),
    fails('missing-key', /release\.pub does not exist; make one with/),
  );
  createKeyFiles(config, false);
  writeFileSync(join(config, 'release.pub'), 'hello');
  assert.throws(() => loadPublicKey(config), fails('missing-key', /release\.pub is unusable/));
});
