/** What the phases use of the BitTorrent library, so that tests can put something smaller in its place. */
import {
  openSegmentStore,
  type Segment,
  type Store,
  Swarm,
  type SwarmOptions,
  type SwarmTuning,
} from '../torrent/index.ts';

export type RunningSwarm = Pick<Swarm, 'port' | 'stats' | 'complete' | 'close'> & {
  on(event: 'warning', listener: (warning: { code: string; message: string }) => void): unknown;
  on(event: 'banned', listener: (ban: { peer: string; reason: string }) => void): unknown;
  on(event: 'piece', listener: (piece: number, sources: readonly string[]) => void): unknown;
  on(event: 'peer', listener: (peer: { address: string }) => void): unknown;
  on(event: 'peer-closed', listener: (peer: { address: string; reason: string }) => void): unknown;
  on(event: 'complete', listener: () => void): unknown;
  on(event: 'withdrawn', listener: (piece: { piece: number; reason: string }) => void): unknown;
};

export interface Engine {
  openStore(segments: readonly Segment[], mode: 'read' | 'write'): Promise<Store>;
  startSwarm(options: SwarmOptions, tuning?: Partial<SwarmTuning>): Promise<RunningSwarm>;
}

export const realEngine: Engine = {
  openStore: openSegmentStore,
  startSwarm: (options, tuning) => Swarm.start(options, tuning),
};
