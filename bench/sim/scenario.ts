import { MOST_PEERS, MOST_PEERS_OF_ORIGIN } from '../../torrent/policy/mesh.ts';

/** What is simulated. Every field has a default that stands for a quiet LAN of equal machines. */
export interface Scenario {
  readonly machines: number;
  readonly seed: number;
  readonly sizeBytes: number;
  readonly pieceBytes: number;
  /** Every link, both ways. */
  readonly rateBitsPerSecond: number;
  /** One way through the switch, in ms. */
  readonly delayMs: number;
  /** Machines start over so long; 0: all at once. */
  readonly staggeredSeconds: number;
  /** From a machine's start to its first announce: process start, and the last of it at random. */
  readonly startMs: number;
  readonly startSpreadMs: number;
  /** One machine vanishes whenever the swarm has got so much farther, as a share; 0: none. */
  readonly leaveEvery: number;
  /** Machines with a tenth of the rate. */
  readonly stragglers: number;
  /** Share of machines that send wrong bytes or, every second of them, nothing. */
  readonly hostileShare: number;
  /** Connections of a machine that break, per minute. */
  readonly lossesPerMinute: number;
  /** A seeder of ours, or any other client that has everything, or a plain HTTP server. */
  readonly origin: 'ours' | 'plain' | 'webseed';
  readonly superSeeding: boolean;
  readonly mostPeers: number;
  /** The same of the origin. */
  readonly originPeers: number;
  readonly windowBytes: number;
  readonly socketBytes: number;
  readonly verifyMs: number;
  readonly requestTimeoutMs: number;
  /** Virtual seconds after which whoever is not done counts as stuck, as a multiple of the bound. */
  readonly patience: number;
}

export const QUIET_LAN: Scenario = {
  machines: 8,
  seed: 1,
  sizeBytes: 256 * 2 ** 20,
  pieceBytes: 2 ** 20,
  rateBitsPerSecond: 50e6,
  delayMs: 0.2,
  staggeredSeconds: 0,
  startMs: 300,
  startSpreadMs: 200,
  leaveEvery: 0,
  stragglers: 0,
  hostileShare: 0,
  lossesPerMinute: 0,
  origin: 'ours',
  superSeeding: true,
  mostPeers: MOST_PEERS,
  originPeers: MOST_PEERS_OF_ORIGIN,
  windowBytes: 128 * 1024,
  socketBytes: 512 * 1024,
  verifyMs: 5,
  requestTimeoutMs: 8000,
  patience: 6,
};

/** Full frames: 1514 bytes on the wire for 1448 of payload. */
export const boundSeconds = ({ sizeBytes, rateBitsPerSecond }: Scenario): number =>
  ((sizeBytes * 8) / rateBitsPerSecond) * (1514 / 1448);
