/**
 * One swarm of ours as a process, for namespaces: tells when it listens, whom it meets and when it is complete.
 *
 * Usage: node swarm-process.ts OPTIONS-AS-JSON
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { LineProcess } from '../../../bench/line-process.ts';
import {
  directorySegments,
  type Endpoint,
  openSegmentStore,
  parseMetainfo,
  Swarm,
} from '../../../torrent/index.ts';

export interface SwarmProcessOptions {
  readonly torrent: string;
  /** Holds the folder of the torrent's name. */
  readonly directory: string;
  readonly complete?: boolean;
  readonly peers?: readonly Endpoint[];
  readonly trackers?: readonly string[];
  readonly localDiscovery?: boolean;
  readonly port?: number;
  readonly uploadBytesPerSecond?: number;
}

/** Events: `listening` (port), `peer` (address, ms since the swarm began), `complete` (ms). */
export function startSwarmProcess(
  t: TestContext,
  namespace: string,
  options: SwarmProcessOptions,
): LineProcess {
  const child = new LineProcess(`swarm in ${namespace}`, 'ip', [
    ...['netns', 'exec', namespace, process.execPath, import.meta.filename, JSON.stringify(options)],
  ]);
  t.after(() => child.kill());
  return child;
}

async function main(options: SwarmProcessOptions): Promise<void> {
  const { torrent, directory, complete = false, port = 0, ...rest } = options;
  const metainfo = parseMetainfo(readFileSync(torrent));
  const segments = directorySegments(metainfo, join(directory, metainfo.name));
  const store = await openSegmentStore(segments, complete ? 'read' : 'write');
  const say = (event: object): void => console.log(JSON.stringify(event));
  const begunAt = performance.now();
  const ms = (): number => Math.round(performance.now() - begunAt);
  const swarm = await Swarm.start({
    metainfo,
    store,
    complete,
    listen: { port },
    peers: [],
    trackers: [],
    ...rest,
  });
  swarm.on('warning', ({ code, message }) => console.error(`${code}: ${message}`));
  swarm.on('peer', ({ address, direction }) => say({ event: 'peer', address, direction, ms: ms() }));
  say({ event: 'listening', port: swarm.port });
  await swarm.complete();
  say({ event: 'complete', ms: ms(), stats: swarm.stats() });
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? '{}') as SwarmProcessOptions);
