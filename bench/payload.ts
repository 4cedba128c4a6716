/** The payload of a bench, the torrent of it, and the comparison that keeps a bench honest. */
import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, createReadStream, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createMetainfo } from '../torrent/index.ts';
import { createByLibtorrent } from './peers/libtorrent.ts';

export const TORRENT_NAME = 'bench';
const FILE_NAME = 'payload.bin';
/** Where the payload is below the directory of a client. */
export const PAYLOAD_PATH = join(TORRENT_NAME, FILE_NAME);
export const PIECE_BYTES = 2 ** 20;

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

/** Makes the payload in `directory`, a hybrid torrent of it at `torrent`, and a v1 one for those that need it. */
export async function makePayload(options: {
  readonly directory: string;
  readonly torrent: string;
  readonly v1Torrent: string;
  readonly lengthBytes: number;
  readonly announce: readonly string[];
}): Promise<void> {
  mkdirSync(join(options.directory, TORRENT_NAME), { recursive: true });
  const source = join(options.directory, PAYLOAD_PATH);
  writeNoise(source, options.lengthBytes);
  writeFileSync(
    options.torrent,
    await createMetainfo({
      name: TORRENT_NAME,
      files: [{ path: FILE_NAME, source }],
      pieceLength: PIECE_BYTES,
      announce: options.announce,
    }),
  );
  createByLibtorrent({
    source: join(options.directory, TORRENT_NAME),
    target: options.v1Torrent,
    kind: 'v1',
    pieceLength: PIECE_BYTES,
    announce: options.announce,
  });
}

/** SHA-256 of a file, as hex. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: PIECE_BYTES }), hash);
  return hash.digest('hex');
}
