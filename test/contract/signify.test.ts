import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatPublicKey,
  formatSecretKey,
  generateKey,
  parsePublicKey,
  parseSecretKey,
  SignatureError,
  signBytes,
  verifyBytes,
} from '../../contract/signify.ts';

const keyNumberOf = (text: string) => (lengthBytes: number) =>
  createHash('sha256').update(text).digest().subarray(0, lengthBytes);
const key = generateKey(keyNumberOf('one'));
const other = generateKey(keyNumberOf('two'));
const message = Buffer.from('{"format":1}\n');
const signature = signBytes(key, message, 'verify with release.pub');

const codeOf = (act: () => void): string => {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof SignatureError);
    return error.code;
  }
  return 'ok';
};

test('keys survive formatting and parsing', () => {
  assert.deepEqual(parseSecretKey(formatSecretKey(key, 'swarmboot')), key);
  const { keyNumber, key: publicBytes } = parsePublicKey(formatPublicKey(key, 'swarmboot'));
  assert.deepEqual({ keyNumber, publicBytes }, { keyNumber: key.keyNumber, publicBytes: key.key });
});

test('the right signature verifies', () => {
  verifyBytes(key, message, signature);
});

test('another key, other bytes, and an altered signature are told apart', () => {
  assert.equal(
    codeOf(() => verifyBytes(other, message, signature)),
    'untrusted',
  );
  assert.equal(
    codeOf(() => verifyBytes({ keyNumber: key.keyNumber, key: other.key }, message, signature)),
    'altered',
  );
  assert.equal(
    codeOf(() => verifyBytes(key, Buffer.from('{"format":2}\n'), signature)),
    'altered',
  );
  assert.equal(
    codeOf(() => verifyBytes(key, message, '')),
    'malformed',
  );
  assert.equal(
    codeOf(() => verifyBytes(key, message, 'untrusted comment: x\nRWQ=\n')),
    'malformed',
  );
});

test('property: flipping any byte of message or signature is noticed', () => {
  const [comment = '', encoded = ''] = signature.split('\n');
  const raw = Buffer.from(encoded, 'base64');
  fc.assert(
    fc.property(
      fc.nat(message.length - 1),
      fc.nat(raw.length - 1),
      fc.integer({ min: 1, max: 255 }),
      (at, where, flip) => {
        const altered = Buffer.from(message);
        altered[at] = (altered[at] ?? 0) ^ flip;
        assert.equal(
          codeOf(() => verifyBytes(key, altered, signature)),
          'altered',
        );
        const forged = Buffer.from(raw);
        forged[where] = (forged[where] ?? 0) ^ flip;
        assert.notEqual(
          codeOf(() => verifyBytes(key, message, `${comment}\n${forged.toString('base64')}\n`)),
          'ok',
        );
      },
    ),
  );
});

test('an encrypted or damaged secret key is refused with the reason', () => {
  const text = formatSecretKey(key, 'swarmboot');
  const raw = Buffer.from(text.split('\n')[1] ?? '', 'base64');
  const encrypted = Buffer.from(raw);
  encrypted.writeUInt32BE(42, 4);
  assert.throws(() => parseSecretKey(`untrusted comment: x\n${encrypted.toString('base64')}\n`), /encrypted/);
  const damaged = Buffer.from(raw);
  damaged[50] = (damaged[50] ?? 0) ^ 1;
  assert.throws(() => parseSecretKey(`untrusted comment: x\n${damaged.toString('base64')}\n`), /checksum/);
});
