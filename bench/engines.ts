/** The engines that the bench knows, in the order of the table. */
import type { Kind } from './payload.ts';
import { agentIsBuilt, launchAgent } from './peers/agent.ts';
import { launchAria2 } from './peers/aria2.ts';
import type { LaunchClient } from './peers/client.ts';
import { launchLibtorrent } from './peers/libtorrent.ts';
import { launchOurs } from './peers/ours.ts';
import { launchHttp, launchRaw } from './peers/raw.ts';
import { launchTransmission, transmissionReads } from './peers/transmission.ts';

export interface Engine {
  readonly name: string;
  /** Plays both sides, each in a process of its own. */
  readonly launch: LaunchClient;
  /** Plays the seed instead, where the program only leeches. */
  readonly launchSeed?: LaunchClient;
  readonly isOurs?: boolean;
  /** Takes a v1 torrent as well: no bound, and no boot server's client. */
  readonly takesAnyTorrent?: boolean;
  /** False where the program has to be built first; without it the engine is left out unless asked for by name. */
  readonly isThere?: () => boolean;
  /** Payload above which a round would only cost time, in bytes. */
  readonly limitBytes?: number;
  /** The torrent it is given, which may depend on whether it reads that hybrid one. */
  readonly kind?: (hybridTorrent: string) => Kind;
  readonly note?: string;
}

export const ENGINES: readonly Engine[] = [
  { name: 'ours', launch: launchOurs, isOurs: true, takesAnyTorrent: true },
  {
    name: 'agent',
    launch: launchAgent,
    launchSeed: launchOurs,
    isOurs: true,
    isThere: agentIsBuilt,
    kind: () => 'release',
    note: 'dist/swarmboot-agent fetch; CPU includes its start',
  },
  {
    name: 'libtorrent',
    launch: launchLibtorrent,
    takesAnyTorrent: true,
    note: 'peak includes the file, which it maps',
  },
  { name: 'aria2', launch: launchAria2, takesAnyTorrent: true, note: 'checks SHA-1 only' },
  {
    name: 'transmission',
    launch: launchTransmission,
    takesAnyTorrent: true,
    kind: (torrent) => (transmissionReads(torrent) ? 'hybrid' : 'v1'),
    limitBytes: 16 * 2 ** 20,
    note: 'checks SHA-1 only; smaller payload',
  },
  { name: 'raw', launch: launchRaw, note: 'bound: plain socket, SHA-256, one thread' },
  { name: 'http', launch: launchHttp, note: 'bound: node:http, SHA-256, one thread' },
];

/** The engines of a list like `ours,libtorrent`. Throws with the names that exist. */
export function enginesNamed(list: string, known: readonly Engine[] = ENGINES): Engine[] {
  return list.split(',').map((name) => {
    const engine = known.find((candidate) => candidate.name === name);
    if (!engine) {
      const names = known.map((candidate) => candidate.name).join(', ');
      throw new Error(`Cannot bench "${name}": the engines are ${names}`);
    }
    return engine;
  });
}
