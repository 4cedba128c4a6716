/**
 * Which blocks to ask one peer for next. In this order: the pieces it has begun, pieces that nobody works on, blocks of
 * another peer's piece, a new piece; and when nothing of that is left, blocks that are outstanding elsewhere (endgame).
 */
import type { ActivePiece } from './active-piece.ts';
import type { Download } from './download.ts';
import type { DownloadCommand } from './download-events.ts';
import type { DownloadPeer } from './download-peer.ts';
import { pickFromOrigin, pickRarest } from './picker.ts';
import { BLOCK_BYTES, blocksPerRequest, refillShare } from './pipeline.ts';
import { makeRoom } from './take-back.ts';

/** Endgame: a block may be outstanding at so many peers. */
const MOST_REQUESTERS = 2;
/** Before the very end, only blocks that somebody has owed for so long are asked for twice. */
const SLOW_MS = 2000;
const SLOW_AT_THE_END_MS = 500;
/** An origin sends everything once; a second copy of a block only if the first is this late. */
const SLOW_FOR_ORIGIN_MS = 1000;
const MOST_DUPLICATES = 32;
/**
 * Whoever is done with its own pieces waits so long before it takes those of others from the origin: they are probably on
 * their way already, and an origin that is busy sends the rest no sooner for being asked twice.
 */
const IDLE_MS = 400;
/** Whoever owes blocks and has sent none for so long is not being waited for. */
const GIVES_MS = 1000;
/** All other peers together giving less than this are no reason to leave the origin alone. */
const NO_HELP_BYTES_PER_SECOND = 262_144;
/** An origin this many times faster than all other peers may send what they have too. */
const MUCH_FASTER = 2;

export function assignBlocks(
  download: Download,
  peer: DownloadPeer,
  out: DownloadCommand[],
  now: number,
): void {
  if (peer.wanted === 0 || (peer.choking && peer.allowed.size === 0)) return;
  let depth = peer.window.depth(peer);
  // Only this machine was shown what it shows, and the rest of the room waits for it.
  if (peer.superSeeds && !peer.snubbed)
    depth = Math.max(depth, Math.min(download.blocksPerPiece, peer.requestQueue));
  let room = depth - peer.outstanding.size;
  // Refilled in parts: one write carries many requests, and one walk over the pieces serves them.
  if (room <= 0 || (peer.outstanding.size > 0 && room < depth * refillShare(depth))) return;
  const longest = peer.snubbed
    ? 1
    : blocksPerRequest(peer.burst.bytesPerSecond(now), peer.mostBlocksPerRequest);
  while (room > 0) {
    const piece = nextPiece(download, peer, out, now);
    if (!piece) break;
    piece.leader ??= peer.key;
    room -= askForFree(download, peer, piece, room, longest, out, now);
  }
  if (peer.outstanding.size === 0) askTwice(download, peer, depth, out, now);
}

/** Asks for up to `room` free blocks; those that follow each other go into one request. How many they were. */
function askForFree(
  download: Download,
  peer: DownloadPeer,
  piece: ActivePiece,
  room: number,
  longest: number,
  out: DownloadCommand[],
  now: number,
): number {
  let asked = 0;
  let first = 0;
  let blocks = 0;
  while (asked < room) {
    const block = piece.reserve(now);
    if (block < 0) break;
    asked++;
    if (blocks === longest || block !== first + blocks) {
      if (blocks > 0) request(download, peer, piece, first, blocks, out, now);
      first = block;
      blocks = 0;
    }
    blocks++;
  }
  if (blocks > 0) request(download, peer, piece, first, blocks, out, now);
  return asked;
}

function request(
  download: Download,
  peer: DownloadPeer,
  { index, length: pieceLength }: ActivePiece,
  block: number,
  blocks: number,
  out: DownloadCommand[],
  now: number,
): void {
  const begin = block * BLOCK_BYTES;
  const length = Math.min(blocks * BLOCK_BYTES, pieceLength - begin);
  peer.ask({ piece: index, begin, length, wanted: blocks, askedAt: now }, download.idOf(index, block), now);
  out.push({ do: 'request', peer: peer.key, piece: index, begin, length });
}

function nextPiece(
  download: Download,
  peer: DownloadPeer,
  out: DownloadCommand[],
  now: number,
): ActivePiece | undefined {
  let orphan: ActivePiece | undefined;
  let foreign: ActivePiece | undefined;
  const spared = download.isSource(peer) && !isIdle(peer, now) && !isStarving(download, peer, now);
  for (const piece of download.active.values()) {
    if (piece.free === 0 || piece.sealed || !peer.mayAskFor(piece.index, now)) continue;
    if (piece.leader === peer.key) return piece;
    // What peers have, they give: the one that everybody needs is spared.
    if (spared && download.copiesBeside(peer, piece.index) > 0) continue;
    if (piece.leader === undefined) orphan ??= piece;
    else if (!piece.single) foreign ??= piece;
  }
  // A piece can be passed on when it is whole: those that are begun before new ones.
  return orphan ?? foreign ?? begin(download, peer, out, now);
}

function begin(
  download: Download,
  peer: DownloadPeer,
  out: DownloadCommand[],
  now: number,
): ActivePiece | undefined {
  if (download.unstarted === 0) return undefined;
  const { active, options } = download;
  if (active.size >= options.mostActive && !makeRoom(download, out, now)) return undefined;
  const input = {
    offered: peer.pieces,
    taken: download.taken,
    isAllowed: (piece: number) => peer.mayAskFor(piece, now),
    copies: (piece: number) => download.copies(piece),
    random: options.random,
  };
  const piece = download.isSource(peer)
    ? pickFromOrigin({
        ...input,
        copies: (index: number) => download.copiesBeside(peer, index),
        isMine: (index) => download.ownership.isMine(index),
        idle: isIdle(peer, now),
        starving: isStarving(download, peer, now),
      })
    : pickRarest(input);
  return piece < 0 ? undefined : download.begin(piece, now);
}

/** Had nothing to do for long enough that it may take what falls to another machine. */
const isIdle = (origin: DownloadPeer, now: number): boolean =>
  origin.outstanding.size === 0 && now - origin.progressAt >= IDLE_MS;

/**
 * True if the other peers alone would leave this machine waiting. Only those count that have given something and gave it
 * lately: any machine can say that it has everything, and thereby keep others from the origin.
 */
function isStarving(download: Download, origin: DownloadPeer, now: number): boolean {
  let othersAreBusy = false;
  for (const peer of download.peers.values()) {
    const owes = peer !== origin && !peer.origin && peer.outstanding.size > 0 && !peer.snubbed;
    if (owes && peer.gave && now - peer.progressAt < GIVES_MS) othersAreBusy = true;
  }
  const others =
    download.peersBytesPerSecond(now, false) - (origin.origin ? 0 : origin.rate.bytesPerSecond(now));
  if (isIdle(origin, now) && (!othersAreBusy || others < NO_HELP_BYTES_PER_SECOND)) return true;
  return origin.busyBytesPerSecond > MUCH_FASTER * others;
}

function askTwice(
  download: Download,
  peer: DownloadPeer,
  depth: number,
  out: DownloadCommand[],
  now: number,
): void {
  const patience = peer.origin ? SLOW_FOR_ORIGIN_MS : download.unstarted === 0 ? SLOW_AT_THE_END_MS : SLOW_MS;
  let room = Math.min(depth, MOST_DUPLICATES);
  for (const piece of download.active.values()) {
    if (piece.sealed || piece.single || !peer.mayAskFor(piece.index, now)) continue;
    // From the end: the first requester is served from the front, they meet in the middle.
    for (let block = piece.blocks - 1; block >= 0 && room > 0; block--) {
      const requesters = piece.requesters[block]!;
      if (requesters === 0 || requesters >= MOST_REQUESTERS || piece.isHere(block)) continue;
      if (now - piece.askedAt[block]! < patience) continue;
      piece.share(block, now);
      request(download, peer, piece, block, 1, out, now);
      room--;
    }
  }
}
