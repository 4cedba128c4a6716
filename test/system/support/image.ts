/** A small image laid out like a real one, its hybrid torrent, and the comparison of every byte. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeNoise } from '../../../bench/payload.ts';
import {
  createMetainfo,
  directorySegments,
  type Metainfo,
  openSegmentStore,
  parseMetainfo,
  type Store,
} from '../../../torrent/index.ts';

export const IMAGE_NAME = 'test-1';
/** Odd lengths, so that every file ends within a piece and within a block. */
const LENGTHS = { vmlinuz: 1_300_001, 'initrd.img': 2_900_017, 'root.squashfs': 7_654_321 } as const;

export interface TestImage {
  /** Holds a folder of the torrent's name, which holds the files. */
  readonly directory: string;
  readonly files: readonly { readonly path: string; readonly length: number }[];
  readonly torrent: string;
  readonly metainfo: Metainfo;
}

export interface TestImageOptions {
  readonly name?: string;
  readonly lengths?: Readonly<Record<string, number>>;
  readonly pieceLength?: number;
  readonly announce?: readonly string[];
  /** Makes other bytes than another text. */
  readonly seed?: string;
}

/** Where a client that is given `directory` keeps a file of the image. */
export const imagePath = (image: TestImage, directory: string, path: string): string =>
  join(directory, image.metainfo.name, path);

export async function makeImage(root: string, options: TestImageOptions = {}): Promise<TestImage> {
  const directory = join(root, 'image');
  const name = options.name ?? IMAGE_NAME;
  const files = Object.entries(options.lengths ?? LENGTHS).map(([path, length]) => ({ path, length }));
  mkdirSync(join(directory, name), { recursive: true });
  for (const { path, length } of files)
    writeNoise(join(directory, name, path), length, `${path}${options.seed}`);
  const torrent = join(root, `${name}.torrent`);
  const bytes = await createMetainfo({
    name,
    files: files.map(({ path }) => ({ path, source: join(directory, name, path) })),
    pieceLength: options.pieceLength ?? 2 ** 18,
    announce: options.announce ?? [],
  });
  writeFileSync(torrent, bytes);
  return { directory, files, torrent, metainfo: parseMetainfo(bytes) };
}

/** The same files under another torrent. */
export const withTorrent = (image: TestImage, torrent: string): TestImage => ({
  ...image,
  torrent,
  metainfo: parseMetainfo(readFileSync(torrent)),
});

/**
 * Clients that know nothing of BEP 47 want the pads of a hybrid torrent as files before they seed it, and ask for
 * them when they leech.
 */
export function writePads(image: TestImage): void {
  for (const { pad, path, length } of image.metainfo.files) {
    if (!pad) continue;
    const target = imagePath(image, image.directory, path);
    mkdirSync(join(target, '..'), { recursive: true });
    writeFileSync(target, Buffer.alloc(length));
  }
}

export const openStore = (image: TestImage, directory: string, mode: 'read' | 'write'): Promise<Store> =>
  openSegmentStore(directorySegments(image.metainfo, join(directory, image.metainfo.name)), mode);

/** Every file of the image is in `directory` (which holds the folder of the torrent's name), byte for byte. */
export function assertCopied(image: TestImage, directory: string): void {
  for (const { path, length } of image.files) {
    const copy = imagePath(image, directory, path);
    assert.equal(statSync(copy).size, length, `length of ${path}`);
    const original = readFileSync(imagePath(image, image.directory, path));
    assert(original.equals(readFileSync(copy)), `${path} was copied with other bytes`);
  }
}
