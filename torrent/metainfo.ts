/**
 * Reads .torrent files and info dictionaries: v1, v2 and hybrid (BEP 3, 47, 52).
 *
 * Everything that comes out has been checked; the infohashes are of the raw bytes, never of a re-encoding. Throws
 * `MetainfoError` and nothing else.
 */
import { hash } from 'node:crypto';
import {
  type BencodeDictionary,
  BencodeError,
  type BencodeValue,
  decodeBencode,
  decodeDictionaryWithRaw,
} from './bencode.ts';
import { MERKLE_BLOCK } from './merkle.ts';
import {
  expectBytes,
  expectDictionary,
  expectSize,
  filesOfV1,
  filesOfV2,
  mergeHybrid,
  withPads,
} from './metainfo-files.ts';
import { needsLayer, verifiedLayers } from './metainfo-layers.ts';
import {
  METAINFO_LIMIT_BYTES,
  type Metainfo,
  MetainfoError,
  type MetainfoFile,
  PIECE_COUNT_LIMIT,
  PIECE_LENGTH_LIMIT_BYTES,
  TOTAL_LIMIT_BYTES,
} from './metainfo-model.ts';
import { NO_OUTER_KEYS, type OuterKeys, parseOuterKeys } from './metainfo-outer.ts';
import { refuseOverlaps, safeComponent } from './metainfo-path.ts';

const SHA1_BYTES = 20;
const malformed = (what: string): MetainfoError =>
  new MetainfoError('malformed', `Metainfo is malformed: ${what}`);

/** BencodeErrors become MetainfoErrors: to callers a broken .torrent is one kind of failure. */
function asMetainfoError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof BencodeError) throw malformed(error.message);
    throw error;
  }
}

function pieceLengthFrom(info: BencodeDictionary, isV2: boolean): number {
  const length = expectSize(info.get('piece length'), '"piece length"', 1, PIECE_LENGTH_LIMIT_BYTES);
  if (isV2 && (length < MERKLE_BLOCK || !Number.isInteger(Math.log2(length)))) {
    throw new MetainfoError(
      'absurd-size',
      `"piece length" is ${length}; BEP 52 wants a power of two of at least 16384`,
    );
  }
  return length;
}

function filesFrom(
  info: BencodeDictionary,
  name: string,
  isV1: boolean,
  isV2: boolean,
  pieceLength: number,
): MetainfoFile[] {
  const v2 = isV2 ? filesOfV2(info, pieceLength) : [];
  const files = !isV1
    ? withPads(v2)
    : isV2
      ? mergeHybrid(filesOfV1(info, name), v2, pieceLength)
      : filesOfV1(info, name);
  refuseOverlaps(files.filter((file) => !file.pad).map((file) => file.path));
  return files;
}

function build(infoBytes: Buffer, layers: BencodeValue | undefined | 'absent', outer: OuterKeys): Metainfo {
  const info = expectDictionary(decodeBencode(infoBytes), '"info"');
  const version = info.get('meta version');
  if (version !== undefined && version !== 2) throw malformed('"meta version" is not 2');
  const isV2 = version === 2;
  const isV1 = info.has('pieces');
  if (!isV1 && !isV2) throw malformed('info has neither "pieces" (v1) nor "meta version" 2');

  const name = safeComponent(expectBytes(info.get('name'), '"name"'));
  const pieceLength = pieceLengthFrom(info, isV2);
  const files = filesFrom(info, name, isV1, isV2, pieceLength);
  const last = files.at(-1);
  const totalLength = last ? last.offset + last.length : 0;
  const payloadLength = files.reduce((sum, file) => sum + (file.pad ? 0 : file.length), 0);
  expectSize(payloadLength, 'The payload', 1, TOTAL_LIMIT_BYTES);
  const pieceCount = expectSize(
    Math.ceil(totalLength / pieceLength),
    'The number of pieces',
    1,
    PIECE_COUNT_LIMIT,
  );

  const pieces = isV1 ? expectBytes(info.get('pieces'), '"pieces"') : undefined;
  if (pieces && pieces.length !== pieceCount * SHA1_BYTES) {
    throw malformed(
      `"pieces" has ${pieces.length} bytes, ${pieceCount} pieces need ${pieceCount * SHA1_BYTES}`,
    );
  }
  const pieceLayers =
    isV2 && layers !== 'absent' ? verifiedLayers(layers, files, pieceLength) : new Map<string, Buffer>();
  if (layers === 'absent' && !isV1 && files.some((file) => needsLayer(file, pieceLength))) {
    throw new MetainfoError('piece-layers', 'A v2-only torrent cannot be checked without its piece layers');
  }

  const infohashV1 = isV1 ? hash('sha1', infoBytes, 'buffer') : undefined;
  const infohashV2 = isV2 ? hash('sha256', infoBytes, 'buffer') : undefined;
  return {
    name,
    multiFile: isV1 ? info.has('files') : !(files.length === 1 && files[0]?.path === name),
    pieceLength,
    pieceCount,
    totalLength,
    payloadLength,
    files,
    infohashV1,
    infohashV2,
    wireInfohash: infohashV1 ?? infohashV2!.subarray(0, SHA1_BYTES),
    infoBytes,
    pieces,
    pieceLayers,
    ...outer,
  };
}

/**
 * Reads a .torrent file. The bytes are copied: changing them later changes nothing. Outer keys that are broken
 * (trackers, webseeds, peers) are dropped one by one, for they are not signed and only hints. Throws `MetainfoError`.
 */
export function parseMetainfo(bytes: Uint8Array): Metainfo {
  if (bytes.length > METAINFO_LIMIT_BYTES) {
    throw new MetainfoError(
      'absurd-size',
      `The metainfo has ${bytes.length} bytes; allowed are ${METAINFO_LIMIT_BYTES}`,
    );
  }
  return asMetainfoError(() => {
    const outer = decodeDictionaryWithRaw(Buffer.from(bytes));
    const info = outer.get('info');
    if (!info) throw malformed('"info" is missing');
    return build(info.raw, outer.get('piece layers')?.value, parseOuterKeys(outer));
  });
}

/**
 * A metainfo from the bare info dictionary that ut_metadata (BEP 9) brings. Piece layers are not part of it: a hybrid is
 * then checked by its SHA-1 alone, and v2-only torrents with files longer than a piece are refused. Throws
 * `MetainfoError`.
 */
export function metainfoFromInfo(infoBytes: Uint8Array): Metainfo {
  return asMetainfoError(() => build(Buffer.from(infoBytes), 'absent', NO_OUTER_KEYS));
}
