/**
 * Requests and pieces that are given up: a peer is gone or silent, a block came from elsewhere, memory is needed. What was
 * asked for and is not wanted any more is free for others at once, whatever its peer still sends.
 */
import type { ActivePiece } from './active-piece.ts';
import type { Download } from './download.ts';
import type { DownloadCommand } from './download-events.ts';
import type { DownloadPeer, OpenRequest } from './download-peer.ts';

/** Timeouts in a row before a peer is let go. */
const MOST_SNUBS = 3;

/** Everything outstanding at this peer is free for others again. `tell`: it shall not send it either. */
export function takeBackAll(
  download: Download,
  peer: DownloadPeer,
  out: DownloadCommand[],
  { tell }: { readonly tell: boolean },
): void {
  for (const id of [...peer.outstanding.keys()]) {
    const piece = Math.floor(id / download.blocksPerPiece);
    const block = id % download.blocksPerPiece;
    const request = peer.takeBack(id);
    const active = download.active.get(piece);
    if (active && !active.sealed) active.giveBack(block);
    if (tell && request) cancel(peer, request, out);
  }
  for (const active of download.active.values()) {
    if (active.leader !== peer.key || active.sealed) continue;
    active.leader = undefined;
    // A single piece with blocks of one peer must not be finished by another.
    if (active.single && active.received > 0) release(download, active.index, out);
  }
}

/** Who owes blocks and was silent for too long is done without, and the third time let go. */
export function takeBackFromSilent(download: Download, out: DownloadCommand[], now: number): void {
  for (const peer of download.peers.values()) {
    if (peer.outstanding.size === 0) continue;
    peer.busyBytesPerSecond = peer.rate.bytesPerSecond(now);
    if (now - peer.progressAt < peer.patienceMs(download.options.requestTimeoutMs)) continue;
    peer.snubs++;
    takeBackAll(download, peer, out, { tell: true });
    if (peer.snubs >= MOST_SNUBS)
      out.push({ do: 'drop', peer: peer.key, reason: 'unresponsive', ban: false });
  }
}

/** The block is here: nobody else need send it. */
export function cancelElsewhere(
  download: Download,
  active: ActivePiece,
  block: number,
  out: DownloadCommand[],
): void {
  const id = download.idOf(active.index, block);
  for (const other of download.peers.values()) {
    if (!other.outstanding.has(id)) continue;
    const request = other.takeBack(id);
    active.giveBack(block);
    if (request) cancel(other, request, out);
  }
}

/** The piece is not active any more; if it is not here, others may begin it anew. */
export function release(download: Download, piece: number, out: DownloadCommand[]): void {
  const active = download.active.get(piece);
  if (!active) return;
  download.active.delete(piece);
  if (!download.have.has(piece)) download.taken.delete(piece);
  if (isWorkedOn(active)) cancelAll(download, active, out);
  out.push({ do: 'release', piece });
}

/** Makes room by giving up a piece that no connected peer can continue. False if every piece is being worked on. */
export function makeRoom(download: Download, out: DownloadCommand[], now: number): boolean {
  const peers = [...download.peers.values()];
  for (const active of download.active.values()) {
    // Without a free block it is being worked on, which is quicker to see than by its requesters.
    if (active.sealed || active.free === 0 || isWorkedOn(active)) continue;
    if (peers.some((peer) => peer.mayAskFor(active.index, now))) continue;
    release(download, active.index, out);
    return true;
  }
  return false;
}

const isWorkedOn = (active: ActivePiece): boolean => active.requesters.some((count) => count > 0);

function cancelAll(download: Download, active: ActivePiece, out: DownloadCommand[]): void {
  for (const peer of download.peers.values()) {
    for (let block = 0; block < active.blocks; block++) {
      const request = peer.takeBack(download.idOf(active.index, block));
      if (request) cancel(peer, request, out);
    }
  }
}

function cancel(peer: DownloadPeer, { piece, begin, length }: OpenRequest, out: DownloadCommand[]): void {
  out.push({ do: 'cancel', peer: peer.key, piece, begin, length });
}
