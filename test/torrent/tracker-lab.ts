/** Trackers on loopback that do what they are told, and a clock that waits for nobody. */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Endpoint, formatEndpoint } from '../../torrent/endpoint.ts';
import { startTracker, type Tracker, type TrackerOptions } from '../../torrent/tracker.ts';

export const INFOHASH = Buffer.from('00ff20252b2f2a4041427e7f80c3a90a0d26263d', 'hex'); // bytes that escaping likes to break
export const PEER_ID = Buffer.from('-SB0001-\x00\xff&=+%/ @~.zz'.slice(0, 20), 'latin1');

export interface LabTracker extends AsyncDisposable {
  readonly url: string;
  /** Parameters of each announce, in order. */
  readonly announces: URLSearchParams[];
}

/** An HTTP server; `answer` gets the number of the request, from 0. */
export async function httpTracker(
  answer: (request: http.IncomingMessage, response: http.ServerResponse, index: number) => void,
): Promise<LabTracker> {
  const announces: URLSearchParams[] = [];
  const server = http.createServer((request, response) => {
    announces.push(new URLSearchParams(request.url?.split('?')[1]));
    answer(request, response, announces.length - 1);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`,
    announces,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A TCP server that treats each connection as `serve` says; for what an HTTP server would never do. */
export async function rawTracker(serve: (socket: Socket) => void): Promise<LabTracker> {
  const announces: URLSearchParams[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (head) => {
      announces.push(new URLSearchParams(head.toString('latin1').split(/[? ]/)[2]));
      serve(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`,
    announces,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A UDP socket; `answer` returns the datagram to send back, if any. */
export async function udpTracker(
  answer: (message: Buffer, index: number) => Buffer | undefined,
  { host = '127.0.0.1', port = 0 } = {},
): Promise<LabTracker & { port: number; messages: Buffer[] }> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', ipv6Only: host.includes(':') });
  const messages: Buffer[] = [];
  socket.on('message', (message, from: RemoteInfo) => {
    messages.push(message);
    const reply = answer(message, messages.length - 1);
    if (reply) socket.send(reply, from.port, from.address);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    url: `udp://${formatEndpoint({ host, port: socket.address().port })}/announce`,
    announces: [],
    messages,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Answers of a well-behaved UDP tracker (BEP 15). */
export function udpAnswer(message: Buffer, interval: number, peers: Buffer): Buffer {
  const action = message.readUInt32BE(8);
  const head = Buffer.alloc(action === 0 ? 16 : 20);
  head.writeUInt32BE(action, 0);
  message.copy(head, 4, 12, 16);
  if (action === 0) {
    head.writeBigUInt64BE(0x1122334455667788n, 8);
    return head;
  }
  head.writeUInt32BE(interval >>> 0, 8);
  return Buffer.concat([head, peers]);
}

export interface Watched extends AsyncDisposable {
  readonly tracker: Tracker;
  readonly peers: Endpoint[][];
  readonly warnings: { code: string; message: string }[];
  /** Every wait that was asked of the clock, in ms. */
  readonly waits: number[];
  /** Resolves as soon as `condition` holds; fails after 8 s. */
  until(condition: () => boolean): Promise<void>;
}

/** A tracker client whose waits end after `realWaitMs` (default 5 ms) instead of what they asked for. */
export function watch(url: string, options: Partial<TrackerOptions> & { realWaitMs?: number } = {}): Watched {
  const { realWaitMs = 5, ...more } = options;
  const peers: Endpoint[][] = [];
  const warnings: { code: string; message: string }[] = [];
  const waits: number[] = [];
  const tracker = startTracker({
    url,
    infohash: INFOHASH,
    peerId: PEER_ID,
    port: 6881,
    left: () => 1000,
    uploaded: () => 2,
    downloaded: () => 3,
    onPeers: (found) => peers.push([...found]),
    onWarning: (warning) => warnings.push(warning),
    random: () => 0.5,
    clock: (wake, delayMs) => {
      waits.push(delayMs);
      const timer = setTimeout(wake, realWaitMs);
      return () => clearTimeout(timer);
    },
    ...more,
  });
  return {
    tracker,
    peers,
    warnings,
    waits,
    until: async (condition) => {
      const deadline = Date.now() + 8_000;
      while (!condition()) {
        if (Date.now() > deadline)
          throw new Error(`Waited in vain: ${JSON.stringify({ warnings, waits, peers })}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    [Symbol.asyncDispose]: () => tracker.stop(),
  };
}
