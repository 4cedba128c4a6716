/** The shipped single-file agent as a leecher: `swarmboot-agent fetch` of a release that lies in a folder. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LineProcess } from '../line-process.ts';
import { KEY_NAME, MANIFEST_NAME } from '../release.ts';
import { type LaunchClient, START_TIMEOUT_MS } from './client.ts';

const AGENT = join(import.meta.dirname, '../../dist/swarmboot-agent');

export const agentIsBuilt = (): boolean => existsSync(AGENT);

/** Its process starts with the download: there is no idle agent to hand a torrent to. */
export const launchAgent: LaunchClient = async ({ torrent, directory }) => {
  let child: LineProcess | undefined;
  const running = (): LineProcess => {
    if (!child) throw new Error('The agent has not begun yet');
    return child;
  };
  const release = dirname(torrent);
  return {
    get pid() {
      return child?.pid;
    },
    port: 0,
    async begin(peers) {
      child = new LineProcess('swarmboot-agent', AGENT, [
        'fetch',
        '--json',
        ...['--manifest', join(release, MANIFEST_NAME), '--key', join(release, KEY_NAME)],
        ...['--out', join(directory, 'release')],
        ...['--linger', '3600'], // it is asked for its memory before it is ended
        ...peers.flatMap(({ host, port }) => ['--peer', `${host}:${port}`]),
      ]);
      await child.event('listening', START_TIMEOUT_MS);
    },
    async finished(timeoutMs) {
      await running().event('complete', timeoutMs);
    },
    close: async () => child?.kill(),
  };
};
