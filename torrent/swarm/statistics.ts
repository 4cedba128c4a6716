/** How a swarm is doing, in numbers, put together from those who count them. */
import type { Metainfo } from '../metainfo-model.ts';
import type { Bitset } from '../policy/bitset.ts';
import type { Download } from '../policy/download.ts';
import type { SwarmStats } from './options.ts';
import type { Room } from './room.ts';
import type { Seeding } from './seeding.ts';

export interface StatisticsInput {
  readonly metainfo: Pick<Metainfo, 'payloadLength'>;
  readonly download: Pick<Download, 'peers' | 'rate' | 'received'>;
  readonly offered: Bitset;
  /** Payload of what is offered, in bytes. */
  readonly offeredBytes: number;
  readonly webseedBytes: number;
  readonly hashFailures: number;
  readonly seeding: Pick<Seeding, 'sent' | 'bytesPerSecond'>;
  readonly room: Pick<Room, 'peers' | 'book'>;
  /** In ms. */
  readonly now: number;
}

export function statistics(input: StatisticsInput): SwarmStats {
  const { metainfo, download, offered, offeredBytes, webseedBytes, hashFailures, seeding, room, now } = input;
  const { peers, origin } = download.received;
  return {
    pieces: offered.count,
    pieceCount: offered.size,
    bytes: offeredBytes,
    totalBytes: metainfo.payloadLength,
    downloaded: { peers, seeder: origin, webseed: webseedBytes },
    uploaded: seeding.sent,
    hashFailures,
    peers: room.peers.size,
    seeds: [...download.peers.values()].filter(({ pieces }) => pieces.isFull).length,
    downBytesPerSecond: download.rate.bytesPerSecond(now),
    upBytesPerSecond: seeding.bytesPerSecond,
    bannedPeers: room.book.banCount,
  };
}
