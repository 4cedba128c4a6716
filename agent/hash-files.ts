/** SHA-256 of every file of a release as it is read back, against the signed manifest. */
import { createHash } from 'node:crypto';
import type { Manifest } from '../contract/manifest.ts';
import type { Metainfo, Store } from '../torrent/index.ts';

/** What is in memory of the image at once, in bytes. */
const READ_BYTES = 1024 * 1024;

/** Names of the files whose bytes are not what the manifest says. Throws what the store throws. */
export async function findAlteredFiles(
  manifest: Manifest,
  metainfo: Metainfo,
  store: Store,
  signal: AbortSignal,
): Promise<string[]> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const altered: string[] = [];
  for (const { path, sha256 } of manifest.files) {
    const file = metainfo.files.find((candidate) => candidate.path === path && !candidate.pad);
    const hash = createHash('sha256');
    const length = file?.length ?? 0;
    for (let done = 0; file && done < length; done += READ_BYTES) {
      signal.throwIfAborted();
      const part = buffer.subarray(0, Math.min(READ_BYTES, length - done));
      await store.read(file.offset + done, part);
      hash.update(part);
    }
    if (!file || hash.digest('hex') !== sha256) altered.push(path);
  }
  return altered;
}
