/**
 * The large part of stage-1 as a squashfs, which `init` mounts from the initramfs. Files of an initramfs lie in RAM
 * unpacked (the runtime alone: 112 MiB); of a squashfs only its compressed bytes do, and the pages that are read, which
 * the kernel drops again when RAM is short.
 *
 * mksquashfs gives the same bytes for the same files, whatever the number of processors, if no time is taken from the
 * machine (README of squashfs-tools 4.4 on reproducible builds).
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Entry, writeCpio } from '../contract/cpio.ts';
import { removeOldest } from './segment.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 600_000;
/** Larger blocks pack better, and cost more to read one page of. */
const BLOCK = '256K';

async function mksquashfs(args: readonly string[]): Promise<string> {
  // Times are in the arguments, and mksquashfs takes them from one place only; package builds set the variable.
  const env = { ...process.env, SOURCE_DATE_EPOCH: undefined };
  const { stdout } = await run('mksquashfs', args, { timeout: TIMEOUT_MS, maxBuffer: 2 ** 20, env }).catch(
    (error: { code?: string | number; stderr?: string; stdout?: string; message: string }) => {
      // It says its version with status 1.
      if (args[0] === '-version' && error.stdout) return { stdout: error.stdout };
      const why =
        error.code === 'ENOENT'
          ? 'install the Debian package "squashfs-tools"'
          : error.stderr?.trim() || error.message;
      throw new Error(`Cannot make the squashfs of stage-1: ${why}`);
    },
  );
  return stdout;
}

async function layOut(folder: string, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const path = join(folder, entry.path);
    await mkdir(dirname(path), { recursive: true });
    if (entry.kind === 'directory') {
      await mkdir(path, { recursive: true });
      await chmod(path, entry.mode ?? 0o755);
    } else if (entry.kind === 'symlink') {
      await symlink(entry.target, path);
    } else if (entry.kind === 'file') {
      await writeFile(path, entry.bytes);
      await chmod(path, entry.mode);
    } else {
      throw new Error(`Cannot put the device "${entry.path}" into the squashfs of stage-1`);
    }
  }
}

/**
 * `zstd` at a level, for what is read all the time; `xz` packs machine code smaller and takes ten times as
 * long to read, which is little for what is read once.
 */
export type Compression = { readonly zstd: number } | 'xz';

const compressionArguments = (compression: Compression): string[] =>
  compression === 'xz' ? ['-comp', 'xz'] : ['-comp', 'zstd', '-Xcompression-level', String(compression.zstd)];

/**
 * A squashfs of the entries, each owned by root and dated `mtime` (seconds since 1970), or the one that the folder
 * `cache` has of them. `prefix` begins its name there.
 */
export async function makeSquashfs(
  entries: readonly Entry[],
  options: {
    readonly cache: string;
    readonly compression: Compression;
    readonly mtime: number;
    readonly prefix: string;
  },
): Promise<Buffer> {
  const { cache, compression, mtime, prefix } = options;
  const version = (await mksquashfs(['-version'])).split('\n')[0] ?? '';
  const key = createHash('sha256')
    .update(JSON.stringify([version, BLOCK, compression, mtime]))
    .update(writeCpio(entries, mtime))
    .digest('hex');
  const file = join(cache, `${prefix}${key.slice(0, 32)}.squashfs`);
  const cached = await readFile(file).catch(() => undefined);
  if (cached && isWhole(cached)) {
    const now = new Date();
    await utimes(file, now, now).catch(() => {}); // removed by another build meanwhile: we have the bytes
    return cached;
  }
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'squashing-'));
  try {
    const tree = join(work, 'tree');
    await mkdir(tree, { mode: 0o755 });
    await layOut(tree, entries);
    const target = join(work, 'squashfs');
    await mksquashfs([
      ...[tree, target, '-quiet', '-no-progress', '-noappend', '-all-root', '-no-xattrs', '-no-exports'],
      ...[...compressionArguments(compression), '-b', BLOCK],
      ...['-mkfs-time', String(mtime), '-all-time', String(mtime)],
    ]);
    const bytes = await readFile(target);
    if (!isWhole(bytes))
      throw new Error('Cannot make the squashfs of stage-1: mksquashfs wrote a cut-off file');
    await rename(target, file);
    await removeOldest(cache);
    return bytes;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Superblock of squashfs 4: magic at 0, bytes used at 40, little endian. A cache may have been cut off. */
const isWhole = (bytes: Buffer): boolean =>
  bytes.length >= 96 &&
  bytes.toString('latin1', 0, 4) === 'hsqs' &&
  Number(bytes.readBigUInt64LE(40)) <= bytes.length;
