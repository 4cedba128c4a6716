/** A release whose manifest, signature and metainfo lie side by side in a folder. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MANIFEST_LIMIT_BYTES } from '../contract/manifest.ts';
import { METAINFO_LIMIT_BYTES, METAINFO_NAME, SIGNATURE_SUFFIX } from '../contract/paths.ts';
import { type PublicKey, parsePublicKey, SIGNATURE_LIMIT_BYTES } from '../contract/signify.ts';
import { BootError } from './boot-error.ts';
import type { Release } from './phases/manifest.ts';
import { trustManifest, trustMetainfo } from './release.ts';

/** Throws `BootError` with code `no-key`. */
export function readKey(path: string): PublicKey {
  try {
    return parsePublicKey(readFileSync(path, 'latin1'));
  } catch (error) {
    throw new BootError('no-key', `Cannot use key "${path}": ${(error as Error).message}`, {
      retriable: 'no',
    });
  }
}

async function readBounded(path: string, limitBytes: number, code: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new BootError(`${code}-missing`, `Cannot read ${code}: ${(error as Error).message}`, {
      retriable: 'no',
    });
  }
  if (bytes.length <= limitBytes) return bytes;
  throw new BootError(`${code}-too-large`, `"${path}" has ${bytes.length} bytes, more than ${limitBytes}`, {
    retriable: 'no',
  });
}

/** `path`: the manifest's. Throws `BootError` with a code `manifest-*`, `signature-*` or `metainfo-*`. */
export async function readRelease(path: string, key: PublicKey, wallClockMs: number): Promise<Release> {
  const bytes = await readBounded(path, MANIFEST_LIMIT_BYTES, 'manifest');
  const signatureBytes = await readBounded(`${path}${SIGNATURE_SUFFIX}`, SIGNATURE_LIMIT_BYTES, 'signature');
  const signature = signatureBytes.toString('latin1');
  const manifest = trustManifest(bytes, signature, key, { arch: undefined, wallClockMs });
  const torrent = await readBounded(join(dirname(path), METAINFO_NAME), METAINFO_LIMIT_BYTES, 'metainfo');
  return {
    manifest,
    metainfo: trustMetainfo(torrent, manifest),
    signed: { manifest: bytes, signature, metainfo: torrent },
  };
}
