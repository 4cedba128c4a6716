/** The engines of the swarm bench, in the order of the table: which program is the server's, which the machines'. */
import type { ProgramName } from './programs.ts';

/** Whose seeder the server runs: ours, with everything that comes with it, or one that knows nothing of us. */
export const ORIGINS = ['ours', 'http', 'libtorrent'] as const;
export type Origin = (typeof ORIGINS)[number];

export interface SwarmEngine {
  readonly name: string;
  readonly isOurs?: boolean;
  readonly server: ProgramName;
  readonly machine: ProgramName;
  /** The torrent that its programs read: aria2 1.36 and Transmission 3.00 take no hybrid. */
  readonly torrent?: 'hybrid' | 'v1';
  readonly superSeeding?: boolean;
  /** Only programs that start together can use it. */
  readonly needsAllAtOnce?: boolean;
  /** Nobody gives anybody anything: N copies leave the server, and the image is made smaller to fit the time. */
  readonly isUnicast?: boolean;
  readonly note?: string;
}

export const SWARM_ENGINES: readonly SwarmEngine[] = [
  { name: 'ours', isOurs: true, server: 'serve', machine: 'agent' },
  { name: 'libtorrent', server: 'libtorrent', machine: 'libtorrent', torrent: 'hybrid' },
  {
    name: 'libtorrent-super',
    server: 'libtorrent',
    machine: 'libtorrent',
    torrent: 'hybrid',
    superSeeding: true,
    note: 'seeder super-seeding (BEP 16)',
  },
  { name: 'aria2', server: 'aria2', machine: 'aria2', torrent: 'v1' },
  { name: 'transmission', server: 'transmission', machine: 'transmission', torrent: 'v1' },
  {
    name: 'http',
    server: 'http-server',
    machine: 'curl',
    isUnicast: true,
    note: 'no swarm, nothing verified',
  },
  {
    name: 'raw',
    server: 'raw-server',
    machine: 'raw',
    isUnicast: true,
    note: 'no swarm: plain socket, SHA-256, one thread',
  },
  {
    name: 'udpcast',
    server: 'udp-sender',
    machine: 'udp-receiver',
    needsAllAtOnce: true,
    note: 'multicast, nothing verified',
  },
];

export const DEFAULT_ENGINES = ['ours', 'libtorrent', 'aria2', 'http', 'udpcast'] as const;

/** The server's program when the engine `ours` has to do with that origin. */
export const ORIGIN_PROGRAMS: Readonly<Record<Origin, ProgramName>> = {
  ours: 'serve',
  http: 'http-server',
  libtorrent: 'libtorrent',
};

/** The engines of a list like `ours,libtorrent`. Throws with the names that exist. */
export function swarmEnginesNamed(list: string): SwarmEngine[] {
  return list.split(',').map((name) => {
    const engine = SWARM_ENGINES.find((candidate) => candidate.name === name);
    if (engine) return engine;
    const names = SWARM_ENGINES.map((candidate) => candidate.name).join(', ');
    throw new Error(`Cannot bench "${name}": the engines are ${names}`);
  });
}
