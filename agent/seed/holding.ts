/** Which pieces of a torrent a machine can give, knowing which of its files it has and where. Pure. */
import type { HandoverFile } from '../../contract/handover.ts';
import type { Metainfo, Segment } from '../../torrent/index.ts';

export interface Holding {
  /** The torrent's byte space; files that are not here read as zeros and are in none of `pieces`. */
  readonly segments: readonly Segment[];
  /** Pieces that lie wholly in files that are here. Pads (BEP 47) keep each piece of ours to one file. */
  readonly pieces: readonly number[];
  readonly isWhole: boolean;
}

export function holdingOf(metainfo: Metainfo, files: readonly HandoverFile[]): Holding {
  const { pieceLength, pieceCount } = metainfo;
  const lacking = new Set<number>();
  const segments = metainfo.files.map(({ path, offset, length, pad }): Segment => {
    const place = pad ? undefined : files.find((file) => file.path === path);
    if (!pad && !place && length > 0) {
      const last = Math.floor((offset + length - 1) / pieceLength);
      for (let piece = Math.floor(offset / pieceLength); piece <= last; piece++) lacking.add(piece);
    }
    return { offset, length, path: place?.source, pathOffset: place?.offset ?? 0 };
  });
  const pieces = Array.from({ length: pieceCount }, (_, piece) => piece).filter(
    (piece) => !lacking.has(piece),
  );
  return { segments, pieces, isWhole: lacking.size === 0 };
}
