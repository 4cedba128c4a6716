/**
 * Stands in front of ut_metadata (BEP 9), which throws or writes out of bounds on most of what is refused here.
 *
 * Invariant: ut_metadata sees a data message only for a piece that was asked for, once, with its exact length; a request
 * only for a piece that exists.
 */
import { type BencodeValue, decodeBencodePrefix } from '../bencode.ts';

export const METADATA_PIECE_BYTES = 16384;
/** A peer may fetch everything a few times over; beyond that it only uses up our upload. */
const MOST_ROUNDS = 4;

export type MetadataVerdict =
  | 'pass'
  | 'ignore'
  | 'bad-metadata-message'
  | 'unrequested-metadata'
  | 'metadata-flood';

export class MetadataGuard {
  readonly #servedBytes: number;
  readonly #wanted = new Set<number>();
  #totalBytes = 0;
  #requests = 0;
  #rejects = 0;

  /** `servedBytes`: length of the info dictionary that we serve; 0 while we have none. */
  constructor(servedBytes: number) {
    this.#servedBytes = servedBytes;
  }

  /** We are about to ask for every piece of a dictionary of `totalBytes`. */
  expect(totalBytes: number): void {
    this.#totalBytes = totalBytes;
    this.#wanted.clear();
    for (let piece = 0; piece * METADATA_PIECE_BYTES < totalBytes; piece++) this.#wanted.add(piece);
  }

  /** `payload` is a ut_metadata message without its extended id. */
  judge(payload: Buffer): MetadataVerdict {
    let header: BencodeValue;
    let length: number;
    try {
      ({ value: header, length } = decodeBencodePrefix(payload, {
        maxDepth: 4,
        maxValues: 32,
        unsortedKeys: true,
      }));
    } catch {
      return 'bad-metadata-message';
    }
    // ut_metadata finds the end of the dictionary by its first "ee": both must mean the same end.
    if (!(header instanceof Map) || payload.indexOf('ee', 0, 'latin1') + 2 !== length)
      return 'bad-metadata-message';
    const type = header.get('msg_type');
    const piece = header.get('piece');
    if (typeof piece !== 'number' || piece < 0) return 'bad-metadata-message';
    if (type === 0) return length === payload.length ? this.#judgeRequest(piece) : 'bad-metadata-message';
    if (type === 1) return this.#judgeData(piece, payload.length - length, header.get('total_size'));
    if (type === 2) return this.#judgeReject(piece);
    // BEP 9: unknown kinds are ignored.
    return 'ignore';
  }

  #judgeRequest(piece: number): MetadataVerdict {
    const pieces = Math.ceil(this.#servedBytes / METADATA_PIECE_BYTES);
    if (pieces === 0) return ++this.#requests > 64 ? 'metadata-flood' : 'pass';
    if (piece >= pieces) return 'bad-metadata-message';
    return ++this.#requests > MOST_ROUNDS * pieces ? 'metadata-flood' : 'pass';
  }

  #judgeData(piece: number, length: number, totalBytes: BencodeValue | undefined): MetadataVerdict {
    if (!this.#wanted.has(piece)) return 'unrequested-metadata';
    if (totalBytes !== undefined && totalBytes !== this.#totalBytes) return 'bad-metadata-message';
    const expected = Math.min(METADATA_PIECE_BYTES, this.#totalBytes - piece * METADATA_PIECE_BYTES);
    if (length !== expected) return 'bad-metadata-message';
    this.#wanted.delete(piece);
    return 'pass';
  }

  #judgeReject(piece: number): MetadataVerdict {
    if (!this.#wanted.has(piece)) return 'ignore';
    // ut_metadata asks again at once; an endless game of that is not wanted.
    return ++this.#rejects > 8 ? 'metadata-flood' : 'pass';
  }
}
