/**
 * Seeds one torrent as a crowd of peers, each with an address, a peer id and a port of its own, from one process: what a
 * machine sees of it is a room full of machines.
 *
 * Usage: node crowd-process.ts {"torrent", "directory", "addresses": [...], "bytesPerSecond"}
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { directorySegments, openSegmentStore, parseMetainfo, Swarm } from '../../torrent/index.ts';
import { obey, say } from './commands.ts';

export interface CrowdOptions {
  readonly torrent: string;
  readonly directory: string;
  readonly addresses: readonly string[];
  /** Of each of them. */
  readonly bytesPerSecond: number;
}

const options = JSON.parse(process.argv[2] ?? '{}') as CrowdOptions;
const metainfo = parseMetainfo(readFileSync(options.torrent));
const store = await openSegmentStore(
  directorySegments(metainfo, join(options.directory, metainfo.name)),
  'read',
);
const peers = [];
for (const host of options.addresses) {
  const swarm = await Swarm.start({
    metainfo,
    store,
    complete: true,
    listen: { host, port: 0 },
    peers: [],
    trackers: [],
    webseeds: [],
    uploadBytesPerSecond: options.bytesPerSecond,
  });
  peers.push({ host, port: swarm.port });
}
say({ event: 'ready', peers });
obey(async () => {});
