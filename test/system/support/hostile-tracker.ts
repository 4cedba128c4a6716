/** An HTTP tracker that answers as trackers were seen to hurt clients. Each answer is counted. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const MEBIBYTE = Buffer.alloc(2 ** 20, 'x');
const ENDLESS_MEBIBYTES = 400;

/** What it does with an announce. `sent` counts the bytes of the body that left. */
const WAYS = {
  'closes in mid-body': (response: ServerResponse) => {
    response.writeHead(200, { 'Content-Length': 1000 });
    response.write('d8:interval', () => response.destroy());
  },
  'wants to be left alone for centuries': (response: ServerResponse) => {
    response.end('d8:intervali9999999999e12:min intervali9999999999e5:peers0:e');
  },
  'wants an announce each moment': (response: ServerResponse) => {
    response.end('d8:intervali0e12:min intervali-5e5:peers0:e');
  },
  'sends bencode that stock decoders loop on': (response: ServerResponse) => {
    response.end('d8:intervali3e5:peersl-3:ee');
  },
  'sends 400 MB': (response: ServerResponse, sent: (bytes: number) => void) => {
    response.writeHead(200, { 'Content-Length': ENDLESS_MEBIBYTES * MEBIBYTE.length });
    const pour = (left: number): void => {
      if (left === 0 || response.destroyed) return;
      sent(MEBIBYTE.length);
      response.write(MEBIBYTE, () => pour(left - 1));
    };
    pour(ENDLESS_MEBIBYTES);
  },
  'never answers': () => {},
} as const;

export type Way = keyof typeof WAYS;
export const WAYS_TO_BE_HOSTILE = Object.keys(WAYS) as readonly Way[];

export interface HostileTracker {
  readonly url: string;
  readonly announces: () => number;
  readonly sentBytes: () => number;
  close(): Promise<void>;
}

export async function startHostileTracker(address: string, way: Way): Promise<HostileTracker> {
  let announces = 0;
  let sentBytes = 0;
  const server = createServer((_, response) => {
    announces++;
    response.on('error', () => {});
    WAYS[way](response, (bytes) => {
      sentBytes += bytes;
    });
  }).listen(0, address);
  await once(server, 'listening');
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}/announce`,
    announces: () => announces,
    sentBytes: () => sentBytes,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
