/**
 * Seeds or leeches one torrent with our engine.
 *
 * Usage: node ours-process.ts OPTIONS-AS-JSON
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { directorySegments, openSegmentStore, parseMetainfo, Swarm } from '../../torrent/index.ts';
import type { ClientOptions, Endpoint, PayloadBytes } from './client.ts';
import { obey, say } from './commands.ts';
import { freePort } from './free-port.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as ClientOptions;
const seeding = options.mode === 'seed';
// The swarm begins to listen when it is given the torrent, but the port is told before.
const port = await freePort(options.address);
let swarm: Swarm | undefined;
say({ event: 'ready', port });

obey(begin, payloadBytes);

async function begin(peers: readonly Endpoint[]): Promise<void> {
  if (swarm) return swarm.addPeers(peers);
  const metainfo = parseMetainfo(readFileSync(options.torrent));
  const segments = directorySegments(metainfo, join(options.directory, metainfo.name));
  swarm = await Swarm.start({
    metainfo,
    store: await openSegmentStore(segments, seeding ? 'read' : 'write'),
    complete: seeding,
    listen: { host: options.address, port },
    peers,
    trackers: [],
    ...(options.uploadBytesPerSecond === undefined
      ? {}
      : { uploadBytesPerSecond: options.uploadBytesPerSecond }),
  });
  swarm.on('warning', (warning) => console.error(warning));
  if (!seeding)
    swarm.complete().then(
      () => say({ event: 'done', stats: swarm?.stats() }),
      (error: Error) => {
        console.error(error);
        process.exit(1);
      },
    );
}

function payloadBytes(): PayloadBytes {
  const stats = swarm?.stats();
  const { peers, seeder, webseed } = stats?.downloaded ?? { peers: 0, seeder: 0, webseed: 0 };
  return { sent: stats?.uploaded ?? 0, received: peers + seeder + webseed };
}
