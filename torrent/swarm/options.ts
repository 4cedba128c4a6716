/** What a swarm is started with and what it tells. */
import type { Endpoint } from '../endpoint.ts';
import type { Metainfo } from '../metainfo-model.ts';
import type { Store } from '../store.ts';

export interface SwarmOptions {
  readonly metainfo: Metainfo;
  /** Positions are those of the metainfo's byte space (v1, pads included). Not closed by the swarm. */
  readonly store: Store;
  /** The store holds every byte: seed at once, nothing is checked. Default false: the store's content is ignored. */
  readonly complete?: boolean;
  /**
   * The store holds these pieces and no others, and none is fetched: a partial seed (BEP 21). In place of `complete`.
   */
  readonly holds?: readonly number[];
  /**
   * Every piece is hashed each time it is read for a peer; one that is wrong is not sent, no longer offered, and told by
   * the event `withdrawn`. For stores that nobody has checked, or that something else may write to. Default false.
   */
  readonly verifyReads?: boolean;
  /** IPv4 TOS or IPv6 traffic class of every connection, 0 to 255. Absent: the system's own. */
  readonly typeOfService?: number;
  /** Absent: no listener. `host` defaults to every address, IPv6 and IPv4; port 0 takes any. */
  readonly listen?: { readonly host?: string; readonly port: number };
  /** Default: the metainfo's `x.pe`. */
  readonly peers?: readonly Endpoint[];
  /** URLs; default: the metainfo's. */
  readonly trackers?: readonly string[];
  /**
   * Find peers on the link by multicast and be found (BEP 14): on the interface of `listen.host` if that is an address of
   * ours, else on all but loopback. Default false: nothing is sent that was not asked for.
   */
  readonly localDiscovery?: boolean;
  /** URLs (BEP 19); default: the metainfo's. */
  readonly webseeds?: readonly string[];
  /** `origin` tells so in the extended handshake; what it sends counts as "seeder". Default 'peer'. */
  readonly role?: 'peer' | 'origin';
  /** Payload bytes per second; absent or 0: no limit. */
  readonly uploadBytesPerSecond?: number;
  /** Connections; default 50, or 256 where `role` is `origin`. */
  readonly maxPeers?: number;
  /** For piece buffers, of download and upload together, in bytes; default 32 MiB, never less than 6 pieces. */
  readonly memoryLimitBytes?: number;
  /** The address that trackers shall give to others, where they cannot see it. */
  readonly announceHost?: string;
}

/** What tests replace. */
export interface SwarmTuning {
  /** Milliseconds, never going back. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** A peer must take some of what waits for it within this time. */
  readonly writeTimeoutMs: number;
  readonly uploadSlots: number;
}

export const DEFAULT_TUNING: SwarmTuning = {
  now: () => performance.now(),
  random: Math.random,
  // One lost SYN is repeated after a second; dead addresses must not keep the living from being dialed.
  connectTimeoutMs: 4_000,
  handshakeTimeoutMs: 10_000,
  requestTimeoutMs: 8_000,
  // Keep-alives come every two minutes by convention (BEP 3), ours every 55 s.
  idleTimeoutMs: 150_000,
  // At most 512 KiB of blocks wait for a socket: whoever is slower than 17 KB/s is no use to a room.
  writeTimeoutMs: 30_000,
  // Generous: on a LAN the disk and the link are rarely the limit, and a choked machine does not boot.
  uploadSlots: 24,
};

export interface SwarmStats {
  /** Verified and stored. */
  readonly pieces: number;
  readonly pieceCount: number;
  /** Payload bytes (pads not counted) verified and stored, and in all. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Block payload accepted, by source, in bytes. `seeder`: peers that call themselves origin. */
  readonly downloaded: { readonly peers: number; readonly seeder: number; readonly webseed: number };
  /** Block payload sent, in bytes. */
  readonly uploaded: number;
  readonly hashFailures: number;
  /** Connected now, and how many of them have everything. */
  readonly peers: number;
  readonly seeds: number;
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
  readonly bannedPeers: number;
}

export interface SwarmEvents {
  /** A piece was verified and stored; the addresses of who sent blocks of it, or the URL of the webseed. */
  piece: [index: number, sources: readonly string[]];
  /** Every piece is stored. */
  complete: [];
  'hash-failure': [{ readonly piece: number; readonly sources: readonly string[] }];
  banned: [{ readonly peer: string; readonly reason: string }];
  warning: [{ readonly code: string; readonly message: string }];
  /** With `verifyReads`: a piece that was offered is not what it should be, or cannot be read. */
  withdrawn: [{ readonly piece: number; readonly reason: string }];
  /** A handshake succeeded. */
  peer: [{ readonly address: string; readonly direction: 'in' | 'out' }];
  /** A connection ended after or before its handshake; the reason is one word. */
  'peer-closed': [{ readonly address: string; readonly reason: string }];
}
