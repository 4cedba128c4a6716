/** Looks into and takes things out of a squashfs with Debian's squashfs-tools. */
import { open } from 'node:fs/promises';
import { Failure } from '../failure.ts';
import { runProgram } from './run-program.ts';

const LIST_TIMEOUT_MS = 120_000;
const READ_TIMEOUT_MS = 60_000;
const PACKAGE = 'squashfs-tools';

/** Superblock of squashfs 4.0, little endian: magic at 0, major at 28, bytes used at 40. */
const MAGIC = 'hsqs';

/**
 * How many bytes of `path` its squashfs has; what may lie behind it nobody looks at. Throws `Failure` `bad-image` unless the
 * file begins with a squashfs 4 superblock and is not cut off.
 */
export async function checkSquashfs(path: string): Promise<number> {
  await using file = await open(path, 'r').catch((cause: Error) => {
    throw new Failure('bad-image', `Cannot read ${path}: ${cause.message}`, { cause });
  });
  const head = Buffer.alloc(96);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  if (bytesRead < head.length || head.toString('latin1', 0, 4) !== MAGIC || head.readUInt16LE(28) !== 4) {
    throw new Failure('bad-image', `${path} is not a squashfs 4.0 file; make one with mksquashfs`);
  }
  const used = Number(head.readBigUInt64LE(40));
  const { size } = await file.stat();
  if (size < used) {
    throw new Failure(
      'bad-image',
      `${path} is cut off: its superblock says ${used} bytes, the file has ${size}; copy it again`,
    );
  }
  return used;
}

/** Paths below `folder` of the squashfs (a folder that is not there gives none), without a leading slash. */
export async function listSquashfs(
  path: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const output = await runProgram('unsquashfs', ['-l', '-d', '', path, folder], {
    timeoutMs: LIST_TIMEOUT_MS,
    debianPackage: PACKAGE,
    outputLimitBytes: 64 * 1024 * 1024,
    ...(signal ? { signal } : {}),
  });
  return output
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith('/'))
    .map((line) => line.slice(1));
}

/** The bytes of one file of the squashfs; `inner` has no leading slash. */
export async function readFromSquashfs(
  path: string,
  inner: string,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  return await runProgram('unsquashfs', ['-no-wildcards', '-cat', path, inner], {
    timeoutMs: READ_TIMEOUT_MS,
    debianPackage: PACKAGE,
    outputLimitBytes: 64 * 1024 * 1024,
    ...(signal ? { signal } : {}),
  });
}
