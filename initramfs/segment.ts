/**
 * One compressed part of the initrd. The kernel unpacks any number of archives that stand one behind the other
 * (buffer-format.rst); parts that change at different times are compressed apart, and kept by the hash of what is
 * in them, so that a new agent does not compress the drivers again.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';

const compress = promisify(zstdCompress);
/** -19: xz is 5 % smaller and takes 6 s more to unpack; above 19 the gain is 1 %. Measured under emulation. */
export const COMPRESSION_LEVEL = 19;

/** Parts in the cache: three whole initrds. */
export const SEGMENTS_KEPT = 12;

/** An archive must begin on a multiple of four behind a compressed one; the kernel skips zeros. */
const padToFour = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

/** Compresses an archive with zstd, padded to four bytes, or takes the result from the folder `cache`. */
export async function compressSegment(archive: Buffer, cache: string, level: number): Promise<Buffer> {
  const key = createHash('sha256').update(`${process.versions.zstd} ${level} `).update(archive).digest('hex');
  const file = join(cache, `segment-${key.slice(0, 32)}.zst`);
  const cached = await readFile(file).catch(() => undefined);
  if (cached && isWhole(cached, archive)) {
    const now = new Date();
    await utimes(file, now, now).catch(() => {}); // removed by another build meanwhile: we have the bytes
    return padToFour(cached);
  }
  // No workers (ZSTD_c_nbWorkers): with them Node 26.10 ends the stream before the workers have written.
  const compressed = await compress(archive, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: archive.length,
  });
  if (!isWhole(compressed, archive)) throw new Error('Cannot compress: zstd gave bytes that do not unpack');
  await mkdir(cache, { recursive: true });
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, compressed);
  await rename(partial, file);
  await removeOldest(cache);
  return padToFour(compressed);
}

/** Each new agent leaves 30 MB behind: keeps the parts that were used last. */
export async function removeOldest(cache: string): Promise<void> {
  const names = (await readdir(cache)).filter((name) => /^segment-[0-9a-z-]+\.(zst|squashfs)$/.test(name));
  const aged = await Promise.all(
    names.map(async (name) => ({
      name,
      usedMs: (await stat(join(cache, name)).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  );
  aged.sort((left, right) => right.usedMs - left.usedMs);
  for (const { name } of aged.slice(SEGMENTS_KEPT)) await rm(join(cache, name), { force: true });
}

/** A cache is no authority: what it gives must unpack to the archive. */
function isWhole(compressed: Buffer, archive: Buffer): boolean {
  try {
    return zstdDecompressSync(compressed, { maxOutputLength: archive.length }).equals(archive);
  } catch {
    return false;
  }
}
