/** How far a machine is behind the others, for the mesh: who is behind looks for more peers. */
import type { Download } from './download.ts';

/** Seconds that this machine is behind the mean of its peers, at its own rate; 0 if it is not. */
export function secondsBehind(download: Download, now: number): number {
  let pieces = 0;
  let others = 0;
  for (const peer of download.peers.values()) {
    if (peer.origin) continue;
    pieces += peer.pieces.count;
    others++;
  }
  if (others === 0) return 0;
  const behind = Math.max(0, pieces / others - download.have.count);
  return (behind * download.options.pieceLength) / Math.max(download.rate.bytesPerSecond(now), 1);
}
