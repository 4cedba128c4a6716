/** Translates what the wire of one peer emits into events of the download policy. */
import { Bitset } from '../policy/bitset.ts';
import type { DownloadEvent } from '../policy/download-events.ts';
import type { PeerConnection } from '../wire/peer-connection.ts';

export function reportToDownload(
  peer: PeerConnection,
  pieceCount: number,
  apply: (event: DownloadEvent) => void,
): void {
  const { wire, key } = peer;
  wire.on('bitfield', (bits: { buffer: Uint8Array }) => {
    const pieces = Bitset.fromBitfield(pieceCount, bits.buffer);
    if (pieces) apply({ type: 'pieces', peer: key, pieces });
  });
  wire.on('have-all', () => apply({ type: 'pieces', peer: key, pieces: Bitset.full(pieceCount) }));
  wire.on('have', (piece: number) => apply({ type: 'have', peer: key, piece }));
  wire.on('choke', () => apply({ type: 'choked', peer: key }));
  wire.on('unchoke', () => apply({ type: 'unchoked', peer: key }));
  wire.on('allowed-fast', (piece: number) => apply({ type: 'allowed', peer: key, piece }));
  wire.on('reject', (piece: number, begin: number, length: number) =>
    apply({ type: 'rejected', peer: key, piece, begin, length }),
  );
}
