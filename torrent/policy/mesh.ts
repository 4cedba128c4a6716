/**
 * How many connections a machine keeps. A bounded random mesh spreads a piece nearly as well as an ideal tree; more
 * connections mean more messages.
 *
 * A machine dials until it has a few and accepts hardly more: an uplink is shared by its connections, so a machine that has fewer than
 * its neighbours gets less, and has less to give. (The last of 200 simulated machines, x bound: 1.22 with 10 to 20, 1.14 with 12 to 14.) Those who
 * come last find places all the same, see newcomers.ts. One that falls behind its peers dials more. Who has everything
 * accepts all it can.
 */
export interface MeshInput {
  /** Open connections. */
  readonly connected: number;
  /** Attempts under way. */
  readonly dialing: number;
  /** The most that this machine may have at all. */
  readonly maxPeers: number;
  /** It has everything. */
  readonly complete: boolean;
  /** How far it is behind its peers, in seconds. */
  readonly lagSeconds: number;
}

/** Connections of a machine. */
export const MOST_PEERS = 50;
/**
 * Connections of an origin. It feeds whom it is connected to, and who is not fed has nothing that its neighbours still miss, so its
 * uplink rests: with 50 in a room of a thousand the last machine was late by a fifth (docs/swarm-policy.md).
 */
export const MOST_PEERS_OF_ORIGIN = 256;

export const mostPeersOf = (role: 'peer' | 'origin'): number =>
  role === 'origin' ? MOST_PEERS_OF_ORIGIN : MOST_PEERS;

const DIAL_UNTIL = 12;
export const ACCEPT_UNTIL = 14;
const DIAL_WHEN_LATE = 16;
const MOST_DIALS = 10;
/** Behind by more than that is more than chance. */
const LATE_SECONDS = 0.5;

export function dialsWanted({
  connected,
  dialing,
  maxPeers,
  lagSeconds,
}: Omit<MeshInput, 'complete'>): number {
  const wanted = lagSeconds > LATE_SECONDS ? DIAL_WHEN_LATE : DIAL_UNTIL;
  const missing = Math.min(wanted, maxPeers) - connected - dialing;
  return Math.max(0, Math.min(missing, MOST_DIALS - dialing));
}

export function acceptsMore({
  connected,
  maxPeers,
  complete,
}: Pick<MeshInput, 'connected' | 'maxPeers' | 'complete'>): boolean {
  return connected < (complete ? maxPeers : Math.min(ACCEPT_UNTIL, maxPeers));
}
