/** What the phases use of the BitTorrent library, so that tests can put something smaller in its place. */
import { openSegmentStore, type Segment, type Store, Swarm, type SwarmOptions } from '../torrent/index.ts';

export type RunningSwarm = Pick<Swarm, 'port' | 'stats' | 'complete' | 'close'> & {
  on(event: 'warning', listener: (warning: { code: string; message: string }) => void): unknown;
  on(event: 'banned', listener: (ban: { peer: string; reason: string }) => void): unknown;
};

export interface Engine {
  openStore(segments: readonly Segment[], mode: 'read' | 'write'): Promise<Store>;
  startSwarm(options: SwarmOptions): Promise<RunningSwarm>;
}

export const realEngine: Engine = {
  openStore: openSegmentStore,
  startSwarm: (options) => Swarm.start(options),
};
