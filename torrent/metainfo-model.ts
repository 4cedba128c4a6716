/**
 * What a .torrent says once it has been checked (BEP 3, BEP 52, BEP 47).
 *
 * Invariant of the byte space: files lie one behind another, pads included, from 0 to `totalLength`; piece `i` begins at
 * `i * pieceLength`. Torrents with v2 hashes have every non-empty file begin on a piece; for v2-only torrents the gaps
 * between the files are shown as pads too, though nothing is sent for them.
 */
import type { Endpoint } from './endpoint.ts';

export interface MetainfoFile {
  /** Relative path with `/`, safe to join to a folder, without the torrent's name (unless it is the only file). */
  readonly path: string;
  /** In bytes. */
  readonly length: number;
  /** Where the file begins in the byte space, in bytes. */
  readonly offset: number;
  /** BEP 47 padding: reads as zeros, is never stored. */
  readonly pad: boolean;
  /** Root of the file's SHA-256 tree (32 bytes); undefined for v1-only torrents, pads and empty files. */
  readonly piecesRoot: Buffer | undefined;
}

export interface Metainfo {
  /** Safe as a file name. */
  readonly name: string;
  /** True where the torrent is a folder `name` with files; false where it is one file `name`. */
  readonly multiFile: boolean;
  /** In bytes. */
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** In bytes, pads included. */
  readonly totalLength: number;
  /** In bytes, without pads. */
  readonly payloadLength: number;
  readonly files: readonly MetainfoFile[];
  /** SHA-1 of `infoBytes`; undefined for v2-only torrents. */
  readonly infohashV1: Buffer | undefined;
  /** SHA-256 of `infoBytes`; undefined for v1-only torrents. */
  readonly infohashV2: Buffer | undefined;
  /** The 20 bytes of handshakes and trackers: v1, else the first 20 of v2. */
  readonly wireInfohash: Buffer;
  /** The info dictionary exactly as it came. */
  readonly infoBytes: Buffer;
  /** SHA-1 of each piece, 20 bytes each; undefined for v2-only torrents. */
  readonly pieces: Buffer | undefined;
  /**
   * `piecesRoot` (hex) to its verified piece layer, 32 bytes for each piece of that file; only for files longer than a
   * piece. Empty where the metainfo came without layers (`metainfoFromInfo`).
   */
  readonly pieceLayers: ReadonlyMap<string, Buffer>;
  /** Trackers, from `announce` and `announce-list`; not covered by the infohash. */
  readonly announce: readonly string[];
  /** Webseeds (BEP 19); not covered by the infohash. */
  readonly urlList: readonly string[];
  /** Peers, from the outer key `x.pe`; not covered by the infohash. */
  readonly explicitPeers: readonly Endpoint[];
}

export type MetainfoErrorCode =
  /** Not bencode, or a key is missing or of the wrong type. */
  | 'malformed'
  /** A path that would leave its folder or cannot be a file name. */
  | 'unsafe-path'
  /** Sizes, counts or piece lengths outside the limits. */
  | 'absurd-size'
  /** Two files at one path, or one at the folder of another. */
  | 'overlap'
  /** The v1 and v2 descriptions of a hybrid differ. */
  | 'hybrid-mismatch'
  /** A piece layer is missing, has the wrong length or does not lead to its `pieces root`. */
  | 'piece-layers';

/** Why a metainfo was refused. The message quotes the offending value. */
export class MetainfoError extends Error {
  readonly code: MetainfoErrorCode;
  constructor(code: MetainfoErrorCode, message: string) {
    super(message);
    this.name = 'MetainfoError';
    this.code = code;
  }
}

/** Largest .torrent that is looked at, in bytes: 2^20 pieces of a hybrid are 52 MiB of hashes. */
export const METAINFO_LIMIT_BYTES = 64 * 2 ** 20;
/** Largest sum of file lengths, in bytes. */
export const TOTAL_LIMIT_BYTES = 64 * 2 ** 30;
export const PIECE_COUNT_LIMIT = 2 ** 20;
/** Largest piece, in bytes: a whole piece is held in memory while it is checked. */
export const PIECE_LENGTH_LIMIT_BYTES = 64 * 2 ** 20;
export const FILE_COUNT_LIMIT = 2 ** 17;

/** The next multiple of `step` that is >= `offset`. */
export const alignUp = (offset: number, step: number): number => Math.ceil(offset / step) * step;

/**
 * Bytes of piece `piece` as peers exchange them: `pieceLength`, except for the last piece, and except in v2-only
 * torrents for the last piece of each file, which ends with its file (BEP 52). Throws `RangeError` for no such piece.
 */
export function pieceLengthOf(metainfo: Metainfo, piece: number): number {
  if (!Number.isInteger(piece) || piece < 0 || piece >= metainfo.pieceCount) {
    throw new RangeError(`No piece ${piece}: the torrent has ${metainfo.pieceCount}`);
  }
  const start = piece * metainfo.pieceLength;
  if (metainfo.infohashV1) return Math.min(metainfo.pieceLength, metainfo.totalLength - start);
  const file = metainfo.files[fileIndexAt(metainfo, start)]!;
  return Math.min(metainfo.pieceLength, file.offset + file.length - start);
}

/** Index of the non-empty file (or pad) that holds byte `offset` of the byte space; `offset` < `totalLength`. */
export function fileIndexAt(metainfo: Metainfo, offset: number): number {
  const { files } = metainfo;
  let low = 0;
  let high = files.length - 1;
  // The last file that begins at or before `offset`: empty files share their offset with the file behind them, so it
  // is never one of those.
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (files[middle]!.offset <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
