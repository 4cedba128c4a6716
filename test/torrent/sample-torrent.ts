/** Small torrents on disk and in memory for the tests of this room. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseMetainfo } from '../../torrent/metainfo.ts';
import { createMetainfo } from '../../torrent/metainfo-create.ts';
import type { Metainfo } from '../../torrent/metainfo-model.ts';

export const PIECE = 65_536;

/** Bytes that differ at every position and from file to file, the same on every run. */
export function sampleBytes(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Lengths around every edge of BEP 52: empty, below a block, a block, a piece, a piece and a byte, several pieces. */
export const SAMPLE_FILES: Readonly<Record<string, number>> = {
  'a-empty': 0,
  'b-one-byte': 1,
  'c-one-block': 16_384,
  'd/one-piece': PIECE,
  'd/three-blocks': 3 * 16_384 - 5,
  'e-piece-and-byte': PIECE + 1,
  'f/g/many': 5 * PIECE + 20_000,
};

export interface Sample extends AsyncDisposable {
  /** Holds the files at their paths. */
  readonly directory: string;
  readonly torrent: Buffer;
  readonly metainfo: Metainfo;
  /** The whole byte space of the torrent, pads included. */
  readonly space: Buffer;
}

export async function makeSample(
  files: Readonly<Record<string, number>> = SAMPLE_FILES,
  name = 'sample',
): Promise<Sample> {
  const directory = await mkdtemp(join(tmpdir(), 'swarmboot-sample-'));
  const contents = new Map(
    Object.entries(files).map(([path, length], index) => [path, sampleBytes(length, index + 1)]),
  );
  for (const [path, bytes] of contents) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
  const torrent = await createMetainfo({
    name,
    pieceLength: PIECE,
    files: [...contents.keys()].map((path) => ({ path, source: join(directory, path) })),
  });
  const metainfo = parseMetainfo(torrent);
  const space = Buffer.alloc(metainfo.totalLength);
  for (const file of metainfo.files) if (!file.pad) contents.get(file.path)?.copy(space, file.offset);
  return {
    directory,
    torrent,
    metainfo,
    space,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
