/** The shipped single-file agent as a leecher: `swarmboot-agent fetch` of a release that lies in a folder. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LineProcess } from '../line-process.ts';
import { KEY_NAME, MANIFEST_NAME } from '../release.ts';
import { type Client, type ClientOptions, START_TIMEOUT_MS } from './client.ts';

export const AGENT = join(import.meta.dirname, '../../dist/swarmboot-agent');

export const agentIsBuilt = (): boolean => existsSync(AGENT);

interface Downloaded {
  readonly peers: number;
  readonly seeder: number;
  readonly webseed: number;
}

export interface AgentOptions extends ClientOptions {
  /** URL or file; default: beside the torrent. */
  readonly manifest?: string;
  /** Default: beside the torrent. */
  readonly key?: string;
  /** Default: the folder `release` of the directory. */
  readonly out?: string;
  /** File for a trace of the swarm; none if not given. */
  readonly trace?: string;
}

/** Its process starts with the download: there is no idle agent to hand a torrent to. */
export const launchAgent = async (options: AgentOptions): Promise<Client> => {
  let child: LineProcess | undefined;
  const running = (): LineProcess => {
    if (!child) throw new Error('The agent has not begun yet');
    return child;
  };
  const release = dirname(options.torrent);
  const { manifest = join(release, MANIFEST_NAME), key = join(release, KEY_NAME) } = options;
  const { out = join(options.directory, 'release') } = options;
  return {
    get pid() {
      return child?.pid;
    },
    port: 0,
    async begin(peers) {
      child = new LineProcess('swarmboot-agent', AGENT, [
        'fetch',
        '--json',
        ...['--manifest', manifest, '--key', key, '--out', out],
        ...(options.trace === undefined ? [] : ['--trace', options.trace]),
        ...['--linger', '3600'], // it is asked for its memory before it is ended
        ...peers.flatMap(({ host, port }) => ['--peer', `${host}:${port}`]),
      ]);
      await child.event('listening', START_TIMEOUT_MS);
    },
    async finished(timeoutMs) {
      await running().event('complete', timeoutMs);
    },
    async payloadBytes() {
      const last = running().events.findLast(({ event }) => event === 'progress');
      const { peers = 0, seeder = 0, webseed = 0 } = (last?.downloaded ?? {}) as Partial<Downloaded>;
      return { sent: Number(last?.uploaded ?? 0), received: peers + seeder + webseed };
    },
    close: async () => child?.kill(),
  };
};
