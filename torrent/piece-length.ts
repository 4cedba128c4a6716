/**
 * The length of pieces for an image. A piece can be passed on when it is whole and checked, so a room is behind the
 * server by a few pieces' time: by the same share of the whole for any rate and size, if the number of pieces is the
 * same. About a thousand make that 3 per cent for 16 machines (with 256 pieces it is 10); more cost messages and metadata.
 */
const SHORTEST_BYTES = 128 * 1024;
const LONGEST_BYTES = 4 * 2 ** 20;
const MOST_PIECES = 2048;

/** A power of two, in bytes, as BEP 52 wants it. */
export function pieceLengthFor(totalBytes: number): number {
  let length = SHORTEST_BYTES;
  while (length < LONGEST_BYTES && totalBytes > length * MOST_PIECES) length *= 2;
  return length;
}
