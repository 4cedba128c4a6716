/** The two file lists that an info dictionary can hold: `files`/`length` (BEP 3) and `file tree` (BEP 52). */
import type { BencodeDictionary, BencodeValue } from './bencode.ts';
import { SHA256_BYTES } from './merkle.ts';
import {
  alignUp,
  FILE_COUNT_LIMIT,
  MetainfoError,
  type MetainfoFile,
  TOTAL_LIMIT_BYTES,
} from './metainfo-model.ts';
import { safePath } from './metainfo-path.ts';

const malformed = (what: string): MetainfoError =>
  new MetainfoError('malformed', `Metainfo is malformed: ${what}`);

export function expectBytes(value: BencodeValue | undefined, what: string): Buffer {
  if (!Buffer.isBuffer(value)) throw malformed(`${what} is not a string`);
  return value;
}

export function expectDictionary(value: BencodeValue | undefined, what: string): BencodeDictionary {
  if (!(value instanceof Map)) throw malformed(`${what} is not a dictionary`);
  return value;
}

export function expectList(value: BencodeValue | undefined, what: string): BencodeValue[] {
  if (!Array.isArray(value)) throw malformed(`${what} is not a list`);
  return value;
}

/** A length or count in `minimum`..`maximum`; else `absurd-size`. */
export function expectSize(
  value: BencodeValue | undefined,
  what: string,
  minimum: number,
  maximum: number,
): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw malformed(`${what} is not an integer`);
  if (typeof value === 'bigint' || value < minimum || value > maximum) {
    throw new MetainfoError('absurd-size', `${what} is ${value}; allowed are ${minimum} to ${maximum}`);
  }
  return value;
}

/** BEP 47: `p` a pad; `x`, `h` do not matter here; `l` a symbolic link, which is refused: it could lead anywhere. */
function isPad(attributes: BencodeValue | undefined): boolean {
  if (attributes === undefined) return false;
  const letters = expectBytes(attributes, '"attr"').toString('latin1');
  if (letters.includes('l')) throw new MetainfoError('unsafe-path', 'Metainfo holds a symbolic link');
  return letters.includes('p');
}

function refuseTotal(totalLength: number): void {
  if (totalLength > TOTAL_LIMIT_BYTES) {
    throw new MetainfoError('absurd-size', `The files add up to more than ${TOTAL_LIMIT_BYTES} bytes`);
  }
}

/** The v1 files in order; offsets run on from 0. `name` is the path of a single file. */
export function filesOfV1(info: BencodeDictionary, name: string): MetainfoFile[] {
  if (info.has('length') === info.has('files')) throw malformed('info needs one of "length" and "files"');
  if (info.has('length')) {
    const length = expectSize(info.get('length'), '"length"', 0, TOTAL_LIMIT_BYTES);
    if (isPad(info.get('attr'))) throw malformed('the only file is a pad');
    return [{ path: name, length, offset: 0, pad: false, piecesRoot: undefined }];
  }
  const list = expectList(info.get('files'), '"files"');
  if (list.length > FILE_COUNT_LIMIT) {
    throw new MetainfoError('absurd-size', `${list.length} files; allowed are ${FILE_COUNT_LIMIT}`);
  }
  let offset = 0;
  return list.map((entry) => {
    const file = expectDictionary(entry, 'a file');
    const length = expectSize(file.get('length'), 'a file length', 0, TOTAL_LIMIT_BYTES);
    const pad = isPad(file.get('attr'));
    const components = expectList(file.get('path'), 'a file path').map((part) =>
      expectBytes(part, 'a path component'),
    );
    // Pads never get a file: their names are of no interest, and some writers repeat them.
    const path = pad ? `.pad/${length}` : safePath(components);
    const start = offset;
    offset += length;
    refuseTotal(offset);
    return { path, length, offset: start, pad, piecesRoot: undefined };
  });
}

/** The v2 files in the order of the tree, each non-empty one at the next piece; no pads yet. */
export function filesOfV2(info: BencodeDictionary, pieceLength: number): MetainfoFile[] {
  const files: MetainfoFile[] = [];
  let offset = 0;

  const visit = (directory: BencodeDictionary, above: readonly Buffer[]): void => {
    for (const [key, value] of directory) {
      const node = expectDictionary(value, 'an entry of "file tree"');
      const components = [...above, Buffer.from(key, 'latin1')];
      const path = safePath(components);
      const leaf = node.get('');
      if (leaf === undefined) {
        if (node.size === 0) throw malformed(`folder ${JSON.stringify(path)} is empty`);
        visit(node, components);
        continue;
      }
      if (node.size !== 1) {
        throw new MetainfoError('overlap', `${JSON.stringify(path)} is both a file and a folder`);
      }
      const file = expectDictionary(leaf, 'a file of "file tree"');
      const length = expectSize(file.get('length'), 'a file length', 0, TOTAL_LIMIT_BYTES);
      if (isPad(file.get('attr'))) throw malformed('"file tree" holds a pad');
      const root = file.get('pieces root');
      if ((root !== undefined) !== length > 0)
        throw malformed('"pieces root" must be there for files with bytes only');
      if (root !== undefined && expectBytes(root, '"pieces root"').length !== SHA256_BYTES) {
        throw malformed('"pieces root" is not 32 bytes');
      }
      if (length > 0) offset = alignUp(offset, pieceLength);
      if (files.length >= FILE_COUNT_LIMIT)
        throw new MetainfoError('absurd-size', `More than ${FILE_COUNT_LIMIT} files`);
      files.push({ path, length, offset, pad: false, piecesRoot: root as Buffer | undefined });
      offset += length;
      refuseTotal(offset);
    }
  };

  visit(expectDictionary(info.get('file tree'), '"file tree"'), []);
  return files;
}

/** Puts a pad in every gap between files (v2-only torrents have gaps, not pads). */
export function withPads(files: readonly MetainfoFile[]): MetainfoFile[] {
  const result: MetainfoFile[] = [];
  let end = 0;
  for (const file of files) {
    const gap = file.offset - end;
    if (gap > 0)
      result.push({ path: `.pad/${gap}`, length: gap, offset: end, pad: true, piecesRoot: undefined });
    result.push(file);
    end = file.offset + file.length;
  }
  return result;
}

/**
 * The v1 list with the roots of the v2 tree. Throws `hybrid-mismatch` unless both name the same files, in the same
 * order, with the same lengths, at the same offsets (BEP 52 demands it: otherwise the two swarms hold different bytes).
 */
export function mergeHybrid(
  v1: readonly MetainfoFile[],
  v2: readonly MetainfoFile[],
  pieceLength: number,
): MetainfoFile[] {
  const mismatch = (what: string) =>
    new MetainfoError('hybrid-mismatch', `The v1 and v2 file lists differ: ${what}`);
  let next = 0;
  const merged = v1.map((file): MetainfoFile => {
    if (file.pad) return file;
    const twin = v2[next++];
    if (!twin || twin.path !== file.path || twin.length !== file.length) {
      throw mismatch(
        `v1 has ${JSON.stringify(file.path)} with ${file.length} bytes, v2 has ${twin ? `${JSON.stringify(twin.path)} with ${twin.length}` : 'no more files'}`,
      );
    }
    if (file.length > 0 && twin.offset !== file.offset) {
      throw mismatch(`${JSON.stringify(file.path)} begins at byte ${file.offset}, it must be ${twin.offset}`);
    }
    return { ...file, piecesRoot: twin.piecesRoot };
  });
  if (next !== v2.length) throw mismatch(`v2 has ${v2.length} files, v1 has ${next}`);
  const total = (merged.at(-1)?.offset ?? 0) + (merged.at(-1)?.length ?? 0);
  const lastEnd = merged.findLast((file) => !file.pad && file.length > 0);
  // A tail pad up to the end of the last piece is allowed, no more.
  if (lastEnd && total > alignUp(lastEnd.offset + lastEnd.length, pieceLength))
    throw mismatch('there is too much padding at the end');
  return merged;
}
