/** Seals a root image: the tree of dm-verity behind the squashfs, in the same file, so that every handoff carries both. */
import { open } from 'node:fs/promises';
import type { Manifest } from '../../contract/manifest.ts';
import { Failure } from '../failure.ts';
import { runProgram } from './run-program.ts';

export type Verity = NonNullable<Manifest['verity']>;

const BLOCK_BYTES = 4096;
const TIMEOUT_MS = 20 * 60_000;

/** Cuts the file behind its squashfs and fills the last block with zeros; how many blocks there are. */
async function cutToBlocks(path: string, squashfsBytes: number): Promise<number> {
  await using file = await open(path, 'r+');
  const blocks = Math.ceil(squashfsBytes / BLOCK_BYTES);
  await file.truncate(squashfsBytes);
  await file.truncate(blocks * BLOCK_BYTES);
  return blocks;
}

/**
 * Appends the tree (1/127 of it) to the squashfs at `path`, in the place of what may be there (a tree, if the file was sealed
 * before), as `veritysetup format` of cryptsetup makes it: SHA-256
 * of blocks of 4096 bytes, without salt, so that the same root has the same hash, and without superblock, because the
 * signed manifest says what it would. Throws `Failure`.
 */
export async function sealRoot(
  path: string,
  squashfsBytes: number,
  signal: AbortSignal | undefined,
): Promise<Verity> {
  const dataBlocks = await cutToBlocks(path, squashfsBytes);
  const output = await runProgram(
    'veritysetup',
    [
      'format',
      ...['--no-superblock', '--salt=-', '--hash=sha256'],
      ...[`--data-block-size=${BLOCK_BYTES}`, `--hash-block-size=${BLOCK_BYTES}`],
      ...[`--data-blocks=${dataBlocks}`, `--hash-offset=${dataBlocks * BLOCK_BYTES}`],
      ...[path, path],
    ],
    {
      timeoutMs: TIMEOUT_MS,
      debianPackage: 'cryptsetup-bin',
      // Its default is Debian's /sbin, which the PATH of an ordinary user lacks.
      env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
      ...(signal ? { signal } : {}),
    },
  );
  const rootHash = /^Root hash:\s+([0-9a-f]{64})$/m.exec(output.toString('utf8'))?.[1];
  if (rootHash === undefined)
    throw new Failure('program-failed', 'veritysetup did not say the root hash of the tree that it made');
  return { rootHash, dataBlocks };
}
