/**
 * What a peer may send, decided from a message's length and id alone, before memory is spent on it (BEP 3, 6, 10).
 * bittorrent-protocol checks none of this. Every refusal is a short reason; the peer that caused it is dropped.
 */
export const MESSAGE = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  uninterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
} as const;

/** Extended messages: a ut_metadata piece is 16 KiB and a header, handshakes are shorter. */
export const LONGEST_EXTENDED_BYTES = 32_768;
/** Messages we do not know are skipped up to this length: BEP 52 and others send some. */
const LONGEST_UNKNOWN_BYTES = 65_536;
/** libtorrent, Transmission and aria2 ask for 16 KiB; more than this is no request but an attack. */
export const LONGEST_REQUEST_BYTES = 131_072;
const LONGEST_PAYLOAD_BYTES = LONGEST_REQUEST_BYTES;
/** A bitfield of a torrent whose piece count is not known yet (magnet start): 2^20 pieces. */
const LONGEST_BITFIELD_BYTES = 2 ** 17;

const EXACT: Readonly<Record<number, number>> = {
  [MESSAGE.choke]: 1,
  [MESSAGE.unchoke]: 1,
  [MESSAGE.interested]: 1,
  [MESSAGE.uninterested]: 1,
  [MESSAGE.have]: 5,
  [MESSAGE.request]: 13,
  [MESSAGE.cancel]: 13,
  [MESSAGE.port]: 3,
  [MESSAGE.suggest]: 5,
  [MESSAGE.haveAll]: 1,
  [MESSAGE.haveNone]: 1,
  [MESSAGE.reject]: 13,
  [MESSAGE.allowedFast]: 5,
};

/** `length` counts the id byte. undefined: fine. `pieceCount` undefined: not known yet. */
export function refuseLength(id: number, length: number, pieceCount: number | undefined): string | undefined {
  const exact = EXACT[id];
  if (exact !== undefined) return length === exact ? undefined : 'bad-length';
  switch (id) {
    case MESSAGE.bitfield: {
      if (pieceCount === undefined) return length <= 1 + LONGEST_BITFIELD_BYTES ? undefined : 'too-long';
      return length === 1 + Math.ceil(pieceCount / 8) ? undefined : 'bad-length';
    }
    case MESSAGE.piece:
      if (length <= 9) return 'bad-length';
      return length <= 9 + LONGEST_PAYLOAD_BYTES ? undefined : 'too-long';
    case MESSAGE.extended:
      if (length < 3) return 'bad-length';
      return length <= LONGEST_EXTENDED_BYTES ? undefined : 'too-long';
    default:
      return length <= LONGEST_UNKNOWN_BYTES ? undefined : 'too-long';
  }
}

export interface TorrentShape {
  readonly pieceCount: number;
  lengthOf(piece: number): number;
}

/** The numbers inside a message of the right length; `message` begins with its id. */
export function refuseContent(message: Buffer, shape: TorrentShape | undefined): string | undefined {
  const id = message[0]!;
  if (!shape) return undefined;
  if (id === MESSAGE.have || id === MESSAGE.suggest || id === MESSAGE.allowedFast) {
    return message.readUInt32BE(1) < shape.pieceCount ? undefined : 'bad-index';
  }
  if (id === MESSAGE.bitfield) {
    const spare = shape.pieceCount % 8;
    return spare === 0 || (message[message.length - 1]! & (0xff >> spare)) === 0 ? undefined : 'bad-bitfield';
  }
  if (id === MESSAGE.request || id === MESSAGE.cancel || id === MESSAGE.reject) {
    const piece = message.readUInt32BE(1);
    if (piece >= shape.pieceCount) return 'bad-index';
    const length = message.readUInt32BE(9);
    if (length === 0 || length > LONGEST_REQUEST_BYTES) return 'bad-request';
    return message.readUInt32BE(5) + length <= shape.lengthOf(piece) ? undefined : 'bad-request';
  }
  return undefined;
}
