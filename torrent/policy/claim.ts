/** Which piece to fetch from a web server (BEP 19). Other than a peer it is asked for whole pieces, one after another. */
import { WEBSEED_KEY } from './active-piece.ts';
import type { Download } from './download.ts';
import { pickFromOrigin } from './picker.ts';
import { type WebseedTurnInput, webseedMayHelp } from './webseed-turn.ts';

/** Peers that deliver nothing for so long do not keep a machine from what falls to others, or from what they have. */
const IDLE_MS = 1000;
const STARVING_MS = 3000;

/** What only the swarm around a download knows. */
export type WebseedCircumstances = Pick<WebseedTurnInput, 'startedAt' | 'connectedPeers' | 'peersExpected'>;

/**
 * A whole piece for a webseed: sealed from the start, or -1 if it is not a webseed's turn, there is none, or no room. Where the webseed is the room's
 * only source, each machine fetches its own share, and more only if nothing comes from the others.
 */
export function claimForWebseed(
  download: Download,
  circumstances: WebseedCircumstances,
  now: number,
): number {
  const { options, active: pieces, hasSource, lastBlockAt } = download;
  if (pieces.size >= options.mostActive) return -1;
  const bytesPerSecond = download.peersBytesPerSecond(now);
  if (!webseedMayHelp({ ...circumstances, now, hasSource, lastBlockAt, bytesPerSecond })) return -1;
  const waitedMs = now - (lastBlockAt ?? options.startedAt);
  const alone = hasSource || download.peers.size === 0;
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
