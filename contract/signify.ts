/**
 * Ed25519 keys and detached signatures in the format of OpenBSD's signify(1), so that Debian's
 * `signify-openbsd -V -p release.pub -m manifest.json -x manifest.json.sig` agrees with us.
 *
 * Format: one line `untrusted comment: ...`, one line of base64. The base64 holds
 *   public key: "Ed" | key number (8 bytes) | public key (32)
 *   signature:  "Ed" | key number (8 bytes) | signature (64)
 *   secret key: "Ed" | "BK" | KDF rounds (u32 be, 0: not encrypted) | salt (16) | checksum (8: first bytes of
 *               SHA-512 of the secret key) | key number (8) | secret key (64: seed, then public key)
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';

export interface PublicKey {
  readonly keyNumber: Buffer;
  readonly key: Buffer;
}
export interface SecretKey extends PublicKey {
  readonly seed: Buffer;
}

/** Why a key or signature was refused. `untrusted`: made by another key. `altered`: right key, other bytes. */
export class SignatureError extends Error {
  readonly code: 'malformed' | 'untrusted' | 'altered';
  constructor(code: SignatureError['code'], message: string) {
    super(message);
    this.name = 'SignatureError';
    this.code = code;
  }
}

const ALGORITHM = 'Ed';
/** Largest key or signature file that is looked at, in bytes. signify itself uses 1024-byte comments. */
export const SIGNATURE_LIMIT_BYTES = 4096;

function decode(text: string, what: string, lengthBytes: number): Buffer {
  const lines = text.slice(0, SIGNATURE_LIMIT_BYTES).split('\n');
  if (!lines[0]?.startsWith('untrusted comment: ')) {
    throw new SignatureError('malformed', `${what} does not begin with "untrusted comment: "`);
  }
  const encoded = lines[1] ?? '';
  const bytes = Buffer.from(encoded, 'base64');
  // Buffer.from ignores what is not base64; encoding back finds it.
  if (bytes.toString('base64') !== encoded || bytes.length !== lengthBytes) {
    throw new SignatureError('malformed', `${what} is not ${lengthBytes} bytes of base64`);
  }
  if (bytes.toString('latin1', 0, 2) !== ALGORITHM) {
    throw new SignatureError('malformed', `${what} is not Ed25519 in signify's format`);
  }
  return bytes;
}

const encode = (comment: string, bytes: Buffer) =>
  `untrusted comment: ${comment}\n${bytes.toString('base64')}\n`;

export function parsePublicKey(text: string): PublicKey {
  const bytes = decode(text, 'Public key', 42);
  return { keyNumber: bytes.subarray(2, 10), key: bytes.subarray(10) };
}

export function parseSecretKey(text: string): SecretKey {
  const bytes = decode(text, 'Secret key', 104);
  if (bytes.toString('latin1', 2, 4) !== 'BK')
    throw new SignatureError('malformed', 'Secret key has an unknown key derivation');
  if (bytes.readUInt32BE(4) !== 0) {
    throw new SignatureError(
      'malformed',
      'Secret key is encrypted; make one without a passphrase (signify-openbsd -G -n)',
    );
  }
  const checksum = bytes.subarray(24, 32);
  const keyNumber = bytes.subarray(32, 40);
  const secret = bytes.subarray(40, 104);
  if (!createHash('sha512').update(secret).digest().subarray(0, 8).equals(checksum)) {
    throw new SignatureError('malformed', 'Secret key fails its own checksum');
  }
  return { keyNumber, seed: secret.subarray(0, 32), key: secret.subarray(32) };
}

/** A new key pair. `random(n)` gives n random bytes; `keyNumber` names the pair in signatures. */
export function generateKey(random: (lengthBytes: number) => Buffer): SecretKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  const key = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return { keyNumber: random(8), seed, key };
}

export const formatPublicKey = (key: PublicKey, comment: string) =>
  encode(`${comment} public key`, Buffer.concat([Buffer.from(ALGORITHM), key.keyNumber, key.key]));

export function formatSecretKey(key: SecretKey, comment: string): string {
  const secret = Buffer.concat([key.seed, key.key]);
  const head = Buffer.alloc(24); // algorithm, KDF, zero rounds, zero salt
  head.write('EdBK', 'latin1');
  const checksum = createHash('sha512').update(secret).digest().subarray(0, 8);
  return encode(`${comment} secret key`, Buffer.concat([head, checksum, key.keyNumber, secret]));
}

export function signBytes(secret: SecretKey, bytes: Uint8Array, comment: string): string {
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'OKP',
      crv: 'Ed25519',
      d: secret.seed.toString('base64url'),
      x: secret.key.toString('base64url'),
    },
  });
  return encode(comment, Buffer.concat([Buffer.from(ALGORITHM), secret.keyNumber, sign(null, bytes, key)]));
}

/** Returns if `signatureText` is by `key` over exactly `bytes`; throws `SignatureError` otherwise. */
export function verifyBytes(key: PublicKey, bytes: Uint8Array, signatureText: string): void {
  const signature = decode(signatureText, 'Signature', 74);
  if (!signature.subarray(2, 10).equals(key.keyNumber)) {
    throw new SignatureError('untrusted', 'Signature was made by another key than the one in this stage-1');
  }
  const publicKey = createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: key.key.toString('base64url') },
  });
  if (!verify(null, bytes, publicKey, signature.subarray(10))) {
    throw new SignatureError('altered', 'Signature does not fit the manifest: one of the two was altered');
  }
}
