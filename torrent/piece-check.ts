/**
 * Does a piece hold the bytes that the torrent promises? Nothing is written, served or believed before this says `ok`.
 *
 * v1: SHA-1 over the whole piece, pads included. v2: root of the SHA-256 tree over the part of the piece that belongs to
 * its one file (BEP 52: the pads of a hybrid are in no tree).
 */
import { hash } from 'node:crypto';
import { MERKLE_BLOCK, merkleRootOfBytes, powerOfTwoAtLeast, SHA256_BYTES } from './merkle.ts';
import { fileIndexAt, type Metainfo, pieceLengthOf } from './metainfo-model.ts';

export interface CheckOptions {
  /**
   * `all` (default): every hash the torrent has. `strongest`: SHA-256 alone where there is one, which saves half of the
   * time; a hybrid whose SHA-1 lies is then not noticed here, but v1-only peers will refuse what we send them.
   */
  readonly hashes?: 'all' | 'strongest';
}

const SHA1_BYTES = 20;
let scratch = Buffer.alloc(0);

/** The SHA-256 that piece `piece` must have, its file's bytes in it, and the width of its tree; undefined if not known. */
export function expectedV2(
  metainfo: Metainfo,
  piece: number,
): { root: Buffer; length: number; width: number } | undefined {
  const start = piece * metainfo.pieceLength;
  const file = metainfo.files[fileIndexAt(metainfo, start)];
  if (!file?.piecesRoot) return undefined;
  const within = start - file.offset;
  const length = Math.min(metainfo.pieceLength, file.length - within);
  if (file.length <= metainfo.pieceLength) {
    return { root: file.piecesRoot, length, width: powerOfTwoAtLeast(Math.ceil(length / MERKLE_BLOCK)) };
  }
  const layer = metainfo.pieceLayers.get(file.piecesRoot.toString('hex'));
  if (!layer) return undefined;
  const at = (within / metainfo.pieceLength) * SHA256_BYTES;
  return { root: layer.subarray(at, at + SHA256_BYTES), length, width: metainfo.pieceLength / MERKLE_BLOCK };
}

/**
 * Checks piece `piece`; `bytes` are exactly `pieceLengthOf` bytes, else the answer is `bad`. Also `bad` if the torrent
 * has no hash for it at all. Throws `RangeError` for no such piece. Synchronous: about 1.2 ms for 1 MiB.
 */
export function checkPiece(
  metainfo: Metainfo,
  piece: number,
  bytes: Uint8Array,
  options: CheckOptions = {},
): 'ok' | 'bad' {
  if (bytes.length !== pieceLengthOf(metainfo, piece)) return 'bad';
  const v2 = metainfo.infohashV2 ? expectedV2(metainfo, piece) : undefined;
  if (v2) {
    const leaves = Math.ceil(v2.length / MERKLE_BLOCK);
    if (scratch.length < leaves * SHA256_BYTES) scratch = Buffer.alloc(leaves * SHA256_BYTES);
    const root = merkleRootOfBytes(bytes.subarray(0, v2.length), v2.width, scratch);
    if (!root.equals(v2.root)) return 'bad';
    if (options.hashes === 'strongest') return zeroFrom(bytes, v2.length) ? 'ok' : 'bad';
  }
  const { pieces } = metainfo;
  if (pieces) {
    const expected = pieces.subarray(piece * SHA1_BYTES, (piece + 1) * SHA1_BYTES);
    return hash('sha1', bytes, 'buffer').equals(expected) ? 'ok' : 'bad';
  }
  return v2 ? 'ok' : 'bad';
}

/** No SHA-256 covers pads: they are zero or the piece is bad. */
export function zeroFrom(bytes: Uint8Array, start: number): boolean {
  const pads = Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  // A run of zeros equals itself shifted by one, if it begins with zero.
  return pads.length === 0 || (pads[0] === 0 && pads.subarray(1).equals(pads.subarray(0, pads.length - 1)));
}
