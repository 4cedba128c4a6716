/** The numbers of a torrent that the swarm asks for all the time, computed once. */
import { type Metainfo, pieceLengthOf } from '../metainfo-model.ts';
import type { TorrentShape } from '../wire/message-rules.ts';

export interface SwarmShape extends TorrentShape {
  readonly pieceLength: number;
  /** Bytes of a piece that belong to files, not to pads. */
  payloadOf(piece: number): number;
}

export function shapeOf(metainfo: Metainfo): SwarmShape {
  const { pieceCount, pieceLength } = metainfo;
  const lengths = Float64Array.from({ length: pieceCount }, (_, piece) => pieceLengthOf(metainfo, piece));
  const payload = Float64Array.from(lengths);
  for (const file of metainfo.files) {
    if (!file.pad) continue;
    for (let at = file.offset; at < file.offset + file.length; ) {
      const piece = Math.floor(at / pieceLength);
      const end = Math.min(file.offset + file.length, piece * pieceLength + lengths[piece]!);
      // In v2-only torrents pads lie between the pieces and belong to none.
      if (end <= at) break;
      payload[piece]! -= end - at;
      at = end;
    }
  }
  return {
    pieceCount,
    pieceLength,
    lengthOf: (piece) => lengths[piece] ?? 0,
    payloadOf: (piece) => payload[piece] ?? 0,
  };
}
