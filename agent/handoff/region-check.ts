/**
 * Whether a memory region keeps what is written to it, before a whole image is downloaded into it. A memmap= over
 * addresses where no RAM is gives a device that takes writes without a word; bad RAM gives other bytes back.
 */
import type { Store } from '../../torrent/index.ts';

/** One page in so many bytes is tried, and the last one. */
const STRIDE_BYTES = 4 * 1024 * 1024;
const PAGE_BYTES = 4096;

/** Where a region of this length is tried. */
export function samples(lengthBytes: number): number[] {
  const offsets: number[] = [];
  for (let offset = 0; offset + PAGE_BYTES <= lengthBytes; offset += STRIDE_BYTES) offsets.push(offset);
  const last = Math.floor(lengthBytes / PAGE_BYTES - 1) * PAGE_BYTES;
  if (last > (offsets.at(-1) ?? -1)) offsets.push(last);
  return offsets;
}

/** A page that says where it belongs: a region that is mapped twice, or shifted, gives another one back. */
function pattern(offset: number, seed: Uint8Array): Buffer {
  const page = Buffer.alloc(PAGE_BYTES, seed);
  page.writeBigUInt64LE(BigInt(offset), 0);
  return page;
}

/** Writes the pattern to every sample; `seed` is random, so that what an earlier boot left there proves nothing. */
export async function writeSamples(store: Store, seed: Uint8Array): Promise<void> {
  for (const offset of samples(store.length)) await store.write(offset, pattern(offset, seed));
  await store.sync();
}

/** Offset of the first sample that is not what was written, or undefined. The page cache must be dropped before. */
export async function findLostSample(store: Store, seed: Uint8Array): Promise<number | undefined> {
  const page = Buffer.alloc(PAGE_BYTES);
  for (const offset of samples(store.length)) {
    await store.read(offset, page);
    if (!page.equals(pattern(offset, seed))) return offset;
  }
  return undefined;
}
