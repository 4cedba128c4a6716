/** Debian's signify-openbsd and our code agree on keys and signatures, both ways. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  formatPublicKey,
  formatSecretKey,
  generateKey,
  parsePublicKey,
  parseSecretKey,
  signBytes,
  verifyBytes,
} from '../../contract/signify.ts';

const directory = mkdtempSync(join(tmpdir(), 'swarmboot-signify-'));
after(() => rmSync(directory, { recursive: true }));
const at = (name: string): string => join(directory, name);
const signify = (...args: string[]) =>
  execFileSync('signify-openbsd', args, { cwd: directory, timeout: 10_000, stdio: 'pipe' });

test('signify-openbsd verifies what we sign, and refuses it altered', () => {
  const key = generateKey(randomBytes);
  writeFileSync(at('ours.pub'), formatPublicKey(key, 'test'));
  writeFileSync(at('message'), 'hello\n');
  writeFileSync(at('message.sig'), signBytes(key, Buffer.from('hello\n'), 'verify with ours.pub'));
  signify('-V', '-p', 'ours.pub', '-m', 'message', '-x', 'message.sig');
  writeFileSync(at('message'), 'hellO\n');
  const refused = spawnSync(
    'signify-openbsd',
    ['-V', '-p', 'ours.pub', '-m', 'message', '-x', 'message.sig'],
    { cwd: directory, timeout: 10_000 },
  );
  assert.notEqual(refused.status, 0);
  assert.match(String(refused.stderr), /verification failed/);
});

test('we verify what signify-openbsd signs, and it signs with our secret key', () => {
  signify('-G', '-n', '-p', 'theirs.pub', '-s', 'theirs.sec');
  writeFileSync(at('message'), 'hello\n');
  signify('-S', '-s', 'theirs.sec', '-m', 'message', '-x', 'theirs.sig');
  verifyBytes(
    parsePublicKey(readFileSync(at('theirs.pub'), 'utf8')),
    Buffer.from('hello\n'),
    readFileSync(at('theirs.sig'), 'utf8'),
  );
  parseSecretKey(readFileSync(at('theirs.sec'), 'utf8'));

  const key = generateKey(randomBytes);
  writeFileSync(at('ours.sec'), formatSecretKey(key, 'test'));
  signify('-S', '-s', 'ours.sec', '-m', 'message', '-x', 'ours.sig');
  verifyBytes(key, Buffer.from('hello\n'), readFileSync(at('ours.sig'), 'utf8'));
});
