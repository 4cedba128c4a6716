/** Which piece to fetch from a web server (BEP 19). Other than a peer it is asked for whole pieces, one after another. */
import { WEBSEED_KEY } from './active-piece.ts';
import type { Download } from './download.ts';
import { pickFromOrigin } from './picker.ts';

/** Peers that deliver nothing for so long do not keep a machine from what falls to others, or from what they have. */
const IDLE_MS = 1000;
const STARVING_MS = 3000;

/**
 * A whole piece for a webseed: sealed from the start, or -1 if there is none or no room. Where the webseed is the room's
 * only source, each machine fetches its own share, and more only if nothing comes from the others.
 */
export function claimForWebseed(download: Download, now: number): number {
  const { options, active: pieces } = download;
  if (pieces.size >= options.mostActive) return -1;
  const waitedMs = now - (download.lastBlockAt ?? options.startedAt);
  const alone = download.hasSource || download.peers.size === 0;
  const piece = pickFromOrigin({
    offered: download.everything,
    taken: download.taken,
    isAllowed: () => true,
    copies: download.copies,
    random: options.random,
    isMine: (index) => download.ownership.isMine(index),
    idle: alone || waitedMs >= IDLE_MS,
    starving: alone || waitedMs >= STARVING_MS,
  });
  if (piece < 0) return -1;
  const active = download.begin(piece, now, { single: false });
  active.leader = WEBSEED_KEY;
  active.sealed = true;
  return piece;
}
