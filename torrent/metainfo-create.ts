/**
 * Makes hybrid torrents (BEP 3 + 52, pads by BEP 47): any client can seed them, and every byte has a SHA-256.
 *
 * The same input gives the same bytes: files are sorted as BEP 52 sorts its tree, and no clock or name of ours gets in.
 */
import { hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type BencodeInput, encodeBencode, encodeDictionaryOfRaw } from './bencode.ts';
import {
  MERKLE_BLOCK,
  merkleRoot,
  merkleRootOfBytes,
  paddingNode,
  powerOfTwoAtLeast,
  SHA256_BYTES,
} from './merkle.ts';
import { MetainfoError, PIECE_LENGTH_LIMIT_BYTES, TOTAL_LIMIT_BYTES } from './metainfo-model.ts';
import { encodeOuterKeys, encodePieceLayers } from './metainfo-outer.ts';
import { refuseOverlaps, safeComponent, safePath } from './metainfo-path.ts';

export interface CreateOptions {
  readonly name: string;
  /** `path` inside the torrent, `source` the file to read. One file with path = name makes a single-file torrent. */
  readonly files: readonly { readonly path: string; readonly source: string }[];
  /** In bytes; a power of two, 16 KiB to 64 MiB. */
  readonly pieceLength: number;
  readonly announce?: readonly string[];
  readonly urlList?: readonly string[];
  /** Written as `creation date` (outside of the infohash) if given. */
  readonly created?: Date;
  readonly signal?: AbortSignal;
}

interface HashedFile {
  readonly components: readonly Buffer[];
  readonly length: number;
  readonly root: Buffer | undefined;
  readonly layer: Buffer | undefined;
}

/** What hashing one file adds to the v1 piece list, and its own tree. Reads one piece at a time into `buffer`. */
async function hashFile(
  handle: FileHandle,
  length: number,
  padLast: boolean,
  buffer: Buffer,
  pieces: Buffer[],
  signal: AbortSignal | undefined,
): Promise<{ root: Buffer | undefined; layer: Buffer | undefined }> {
  const pieceLength = buffer.length;
  const leavesPerPiece = pieceLength / MERKLE_BLOCK;
  const scratch = Buffer.alloc(leavesPerPiece * SHA256_BYTES);
  const nodes: Buffer[] = [];
  for (let at = 0; at < length; at += pieceLength) {
    signal?.throwIfAborted();
    const present = Math.min(pieceLength, length - at);
    for (let done = 0; done < present; ) {
      const { bytesRead } = await handle.read(buffer, done, present - done, at + done);
      if (bytesRead === 0)
        throw new MetainfoError(
          'malformed',
          `A source file became shorter than ${length} bytes while it was read`,
        );
      done += bytesRead;
    }
    const bytes = buffer.subarray(0, present);
    const single = length <= pieceLength;
    nodes.push(
      merkleRootOfBytes(
        bytes,
        single ? powerOfTwoAtLeast(Math.ceil(present / MERKLE_BLOCK)) : leavesPerPiece,
        scratch,
      ),
    );
    // In v1 the pad behind the file is part of its last piece.
    pieces.push(hash('sha1', padLast ? buffer.fill(0, present) : bytes, 'buffer'));
  }
  if (nodes.length <= 1) return { root: nodes[0], layer: undefined };
  const layer = Buffer.concat(nodes);
  return { root: merkleRoot(layer, paddingNode(leavesPerPiece)), layer };
}

/** BEP 52 sorts by the raw bytes of each path component, folders and files alike. */
function compareComponents(a: readonly Buffer[], b: readonly Buffer[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = Buffer.compare(a[index]!, b[index]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

type Tree = Map<string, Tree | BencodeInput>;

function fileTree(files: readonly HashedFile[]): Tree {
  const root: Tree = new Map();
  for (const { components, length, root: piecesRoot } of files) {
    let folder = root;
    for (const component of components.slice(0, -1)) {
      const key = component.toString('latin1');
      if (!folder.has(key)) folder.set(key, new Map());
      folder = folder.get(key) as Tree;
    }
    const entry = piecesRoot ? { length, 'pieces root': piecesRoot } : { length };
    folder.set(components.at(-1)!.toString('latin1'), { '': entry });
  }
  return root;
}

function v1Files(files: readonly HashedFile[], pieceLength: number, lastWithBytes: number): BencodeInput[] {
  return files.flatMap(({ components, length }, index): BencodeInput[] => {
    const entry = { length, path: components };
    const gap = (pieceLength - (length % pieceLength)) % pieceLength;
    if (index >= lastWithBytes || gap === 0) return [entry];
    return [entry, { attr: 'p', length: gap, path: ['.pad', String(gap)] }];
  });
}

/**
 * Reads every source once, one piece in memory at a time, and returns the .torrent. Throws `MetainfoError` for bad names
 * or sizes, the file system's error for unreadable sources, the signal's reason if aborted.
 */
export async function createMetainfo(options: CreateOptions): Promise<Buffer> {
  const { name, pieceLength, signal } = options;
  safeComponent(Buffer.from(name));
  if (
    !Number.isInteger(Math.log2(pieceLength)) ||
    pieceLength < MERKLE_BLOCK ||
    pieceLength > PIECE_LENGTH_LIMIT_BYTES
  ) {
    throw new MetainfoError(
      'absurd-size',
      `Piece length ${pieceLength} is not a power of two from 16384 to ${PIECE_LENGTH_LIMIT_BYTES}`,
    );
  }
  const sorted = options.files
    .map(({ path, source }) => ({
      path,
      source,
      components: path.split('/').map((part) => Buffer.from(part)),
    }))
    .sort((a, b) => compareComponents(a.components, b.components));
  refuseOverlaps(sorted.map(({ components }) => safePath(components)));

  const buffer = Buffer.alloc(pieceLength);
  const pieces: Buffer[] = [];
  const hashed: HashedFile[] = [];
  const handles: FileHandle[] = [];
  try {
    for (const { source } of sorted) handles.push(await open(source, 'r'));
    const lengths = await Promise.all(handles.map(async (handle) => (await handle.stat()).size));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    if (total === 0 || total > TOTAL_LIMIT_BYTES) {
      throw new MetainfoError(
        'absurd-size',
        `The files have ${total} bytes; allowed are 1 to ${TOTAL_LIMIT_BYTES}`,
      );
    }
    const lastWithBytes = lengths.findLastIndex((length) => length > 0);
    for (const [index, handle] of handles.entries()) {
      const length = lengths[index]!;
      const { root, layer } = await hashFile(handle, length, index < lastWithBytes, buffer, pieces, signal);
      hashed.push({ components: sorted[index]!.components, length, root, layer });
    }

    const single = sorted.length === 1 && sorted[0]!.path === name;
    const info: BencodeInput = {
      'file tree': fileTree(hashed),
      'meta version': 2,
      name,
      'piece length': pieceLength,
      pieces: Buffer.concat(pieces),
      ...(single ? { length: hashed[0]!.length } : { files: v1Files(hashed, pieceLength, lastWithBytes) }),
    };
    const layers = new Map(
      hashed.flatMap(({ root, layer }) => (root && layer ? [[root.toString('hex'), layer]] : [])),
    );
    const entries: Map<string, Uint8Array> = encodeOuterKeys({
      announce: options.announce ?? [],
      urlList: options.urlList ?? [],
      explicitPeers: [],
    });
    if (options.created)
      entries.set('creation date', encodeBencode(Math.floor(options.created.getTime() / 1000)));
    entries.set('info', encodeBencode(info));
    entries.set('piece layers', encodePieceLayers(layers));
    return encodeDictionaryOfRaw(entries);
  } finally {
    await Promise.allSettled(handles.map((handle) => handle.close()));
  }
}
