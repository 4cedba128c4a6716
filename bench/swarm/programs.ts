/** Every program that can be part of a swarm, by the name that a part carries it under. */

import { join } from 'node:path';
import { launchAgent } from '../peers/agent.ts';
import { launchAria2 } from '../peers/aria2.ts';
import type { Client } from '../peers/client.ts';
import { launchCurl, launchHttpServer } from '../peers/http.ts';
import { launchLibtorrent } from '../peers/libtorrent.ts';
import { launchRawLeech, launchRawServer } from '../peers/raw.ts';
import { launchServe } from '../peers/serve.ts';
import { launchTransmission } from '../peers/transmission.ts';
import { launchUdpReceiver, launchUdpSender } from '../peers/udpcast.ts';
import { type Part, SERVER_HTTP_PORT } from './part.ts';

export type ProgramName =
  | 'agent'
  | 'serve'
  | 'libtorrent'
  | 'aria2'
  | 'transmission'
  | 'http-server'
  | 'curl'
  | 'raw-server'
  | 'raw'
  | 'udp-sender'
  | 'udp-receiver';

const rootOf = ({ directory, image }: Part): string => join(directory, image.torrentName, image.rootFile);

export const PROGRAMS: Readonly<Record<ProgramName, (part: Part) => Promise<Client>>> = {
  agent: (part) =>
    launchAgent({ ...part, key: part.image.key, out: join(part.directory, part.image.torrentName) }),
  serve: ({ image, address }) =>
    launchServe({ state: image.state, config: image.config, address, httpPort: SERVER_HTTP_PORT }),
  libtorrent: launchLibtorrent,
  aria2: launchAria2,
  transmission: (part) => launchTransmission(part),
  'http-server': ({ image, address }) =>
    launchHttpServer({ folder: image.plainFolder, address, port: SERVER_HTTP_PORT }),
  curl: (part) =>
    launchCurl({
      url: `http://${part.serverAddress}:${SERVER_HTTP_PORT}/files/${part.image.torrentName}/${part.image.rootFile}`,
      target: rootOf(part),
    }),
  'raw-server': (part) =>
    launchRawServer({ path: rootOf(part), address: part.address, port: SERVER_HTTP_PORT }),
  raw: (part) => launchRawLeech(rootOf(part), { host: part.serverAddress, port: SERVER_HTTP_PORT }),
  'udp-sender': (part) =>
    launchUdpSender({
      source: rootOf(part),
      receivers: part.machines,
      rateBitsPerSecond: part.rateBitsPerSecond,
    }),
  'udp-receiver': (part) => launchUdpReceiver({ target: rootOf(part) }),
};
