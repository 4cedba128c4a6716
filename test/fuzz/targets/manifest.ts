/** contract/manifest.ts and signify.ts: only what was signed by the key, and only manifests that write themselves back. */
import assert from 'node:assert/strict';
import {
  checkManifest,
  ManifestError,
  parseManifest,
  serializeManifest,
} from '../../../contract/manifest.ts';
import {
  formatPublicKey,
  formatSecretKey,
  parsePublicKey,
  parseSecretKey,
  SignatureError,
  signBytes,
  verifyBytes,
} from '../../../contract/signify.ts';
import type { Target } from '../target.ts';

const seed = Buffer.alloc(32, 1);
// The public key of the seed of 32 ones (RFC 8032), as Node.js computes it.
const key = parseSecretKey(
  (() => {
    const { createPrivateKey, createPublicKey } = process.getBuiltinModule('node:crypto');
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
    const jwk = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({
      format: 'jwk',
    });
    const publicKey = Buffer.from(jwk.x ?? '', 'base64url');
    return formatSecretKey({ keyNumber: Buffer.alloc(8, 2), seed, key: publicKey }, 'fuzz');
  })(),
);
const file = (path: string, role: string): object => ({ path, role, length: 5, sha256: 'ab'.repeat(32) });
const manifest = Buffer.from(
  `${JSON.stringify(
    {
      ...{ format: 1, name: 'lab', version: '1', arch: 'amd64' },
      ...{ created: '2026-01-01T00:00:00Z', expires: '2027-01-01T00:00:00Z' },
      torrent: { infohashV1: 'aa'.repeat(20), infohashV2: 'bb'.repeat(32), pieceLength: 262_144 },
      files: [file('vmlinuz', 'kernel'), file('initrd.img', 'initrd'), file('root.squashfs', 'root')],
      ...{
        cmdline: 'quiet',
        kernelRelease: '6.12.0-amd64',
        strategies: ['pmem', 'cpio'],
        minimumMemoryBytes: 0,
      },
    },
    null,
    2,
  )}\n`,
);
const signature = Buffer.from(signBytes(key, manifest, 'verify with release.pub'));

const attempt = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    if (error instanceof ManifestError || error instanceof SignatureError) return error.code;
    throw error;
  }
};

export const makeTarget = (): Target => ({
  sources: ['contract/manifest.ts', 'contract/signify.ts'],
  seeds: [
    manifest,
    signature,
    Buffer.from(formatPublicKey(key, 'fuzz')),
    Buffer.from(formatSecretKey(key, 'fuzz')),
    Buffer.from('{}'),
  ],
  dictionary: [
    'untrusted comment: ',
    '\n',
    'RWQ',
    '"files":[',
    '"path":"',
    '"role":"root"',
    '"length":',
    '{',
    '}',
    '[',
    ']',
    'null',
    '1e999',
    '"__proto__":',
    '\\u0000',
    ',',
  ],
  run(input) {
    const text = input.toString('utf8');
    const verified = attempt(() => verifyBytes(key, manifest, text));
    if (verified === 'accepted') {
      const line = text.split('\n')[1];
      assert.equal(line, signature.toString().split('\n')[1], 'another signature was taken for ours');
    }
    assert.notEqual(
      attempt(() => verifyBytes(key, input, signature.toString())),
      input.equals(manifest) ? 'altered' : 'accepted',
    );
    const keys = `${attempt(() => parsePublicKey(text))} ${attempt(() => parseSecretKey(text))}`;
    const parsed = attempt(() => {
      const value = parseManifest(input);
      assert.deepEqual(parseManifest(serializeManifest(value)), value);
      for (const { path } of value.files) assert.ok(/^[a-z0-9][a-z0-9._-]*$/.test(path));
      attempt(() => checkManifest(value, { arch: 'amd64', nowMs: 1_767_225_600_000 }));
    });
    return `${verified}, ${keys}, ${parsed}`;
  },
});
