/** Takes an initrd of stage-1 apart with other eyes than the builder's: zstd, our strict reader, and unsquashfs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { GROUPS, MOUNT_POINTS, type Stage1 } from '../../initramfs/stage1.ts';
import { readCpio } from '../contract/read-cpio.ts';

export interface Part {
  /** Name of the group, or `key`. */
  readonly name: string;
  /** The archive as the kernel unpacks it. */
  readonly archive: Buffer;
  /** The squashfs in it, if it holds one. */
  readonly squashfs: Buffer | undefined;
}

/** The parts in the order in which the kernel meets them. */
export function partsOf({ initrd, report }: Stage1): Part[] {
  let at = 0;
  const parts: Part[] = GROUPS.map((name) => {
    const bytes = initrd.subarray(at, at + report.groups[name].compressedBytes);
    at += bytes.length;
    if (MOUNT_POINTS[name] === undefined)
      return { name, archive: zstdDecompressSync(bytes), squashfs: undefined };
    return { name, archive: bytes, squashfs: readCpio(bytes).members[0]?.data };
  });
  return at < initrd.length
    ? [...parts, { name: 'key', archive: initrd.subarray(at), squashfs: undefined }]
    : parts;
}

/** Lines of `unsquashfs -lln`: mode, uid/gid, size, date, path below `/`. */
export function listSquashfs(squashfs: Buffer): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-squashfs-'));
  try {
    const path = join(folder, 'squashfs');
    writeFileSync(path, squashfs);
    const output = execFileSync('unsquashfs', ['-lln', '-d', '', path], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    return output.split('\n').filter((line) => /^[-dlbcps]/.test(line));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
