import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { formatPublicKey, generateKey } from '../../contract/signify.ts';
import { keyArchive } from '../../contract/stage1-key.ts';
import { readCpio } from './read-cpio.ts';

const key = formatPublicKey(
  generateKey((length) => randomBytes(length)),
  'site',
);

test('the archive holds the key and its folders, and begins on a multiple of four', () => {
  for (const initrdBytes of [0, 1, 2, 3, 4, 4097]) {
    const bytes = keyArchive(key, initrdBytes);
    const padding = (4 - (initrdBytes % 4)) % 4;
    assert.ok(bytes.subarray(0, padding).every((byte) => byte === 0));
    const { members } = readCpio(bytes.subarray(padding));
    assert.deepEqual(
      members.map(({ path }) => path),
      ['etc', 'etc/swarmboot', 'etc/swarmboot/release.pub'],
    );
    assert.equal(members.at(-1)!.data.toString(), key);
  }
});

test('the same key gives the same bytes', () => {
  assert.ok(keyArchive(key, 10).equals(keyArchive(key, 10)));
});

test('a damaged key is refused', () => {
  assert.throws(() => keyArchive('no key', 0), /untrusted comment/);
});
