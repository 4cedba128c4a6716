/** The payload of a bench, the torrents of it, and the comparison that keeps a bench honest. */
import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, linkSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createMetainfo } from '../torrent/index.ts';
import { digestOf } from './digest.ts';
import { createByLibtorrent } from './peers/libtorrent.ts';
import { writeRelease } from './release.ts';

export const PIECE_BYTES = 2 ** 20;

/** `hybrid` is ours; `v1` is for clients that read no hybrid; `release` is what a boot server publishes. */
export type Kind = 'hybrid' | 'v1' | 'release';

/** One torrent of the payload. */
export interface Shape {
  readonly torrent: string;
  /** Where the payload is below the directory of a client. */
  readonly path: string;
}

export interface Payload {
  /** The directory of the seeds. */
  readonly directory: string;
  readonly lengthBytes: number;
  readonly digest: string;
  readonly shapes: Readonly<Record<Kind, Shape>>;
}

/** Writes `lengthBytes` that do not compress and are the same every time: the key stream of AES for a fixed key. */
export function writeNoise(path: string, lengthBytes: number, seed = 'swarmboot'): void {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  const zeros = Buffer.alloc(PIECE_BYTES);
  const file = openSync(path, 'w');
  for (let written = 0; written < lengthBytes; written += PIECE_BYTES)
    writeSync(file, cipher.update(zeros.subarray(0, Math.min(PIECE_BYTES, lengthBytes - written))));
  closeSync(file);
}

/** Makes the payload and its torrents below `root`, announced at `tracker`. */
export async function makePayload(root: string, lengthBytes: number, tracker: string): Promise<Payload> {
  const directory = join(root, 'seed');
  const source = join(directory, 'bench', 'payload.bin');
  mkdirSync(join(directory, 'bench'), { recursive: true });
  writeNoise(source, lengthBytes);
  const common = { pieceLength: PIECE_BYTES, announce: [tracker] };

  const hybrid = join(root, 'hybrid.torrent');
  writeFileSync(
    hybrid,
    await createMetainfo({ ...common, name: 'bench', files: [{ path: 'payload.bin', source }] }),
  );
  const v1 = join(root, 'v1.torrent');
  createByLibtorrent({ ...common, source: join(directory, 'bench'), target: v1, kind: 'v1' });

  // A release has three files; two of a byte each make the payload the third.
  const folder = join(directory, 'release');
  mkdirSync(folder);
  for (const name of ['vmlinuz', 'initrd.img']) writeFileSync(join(folder, name), 'x');
  linkSync(source, join(folder, 'root.squashfs'));
  const release = await writeRelease(folder, join(root, 'release'), PIECE_BYTES);

  return {
    directory,
    lengthBytes,
    digest: await digestOf(source),
    shapes: {
      hybrid: { torrent: hybrid, path: join('bench', 'payload.bin') },
      v1: { torrent: v1, path: join('bench', 'payload.bin') },
      release: { torrent: release, path: join('release', 'root.squashfs') },
    },
  };
}
