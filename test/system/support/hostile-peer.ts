/** A peer that greets as BEP 3 wants it, and then does as a test tells it. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface HostilePeer {
  readonly host: string;
  readonly port: number;
  /** Handshakes that were exchanged so far. */
  readonly greeted: () => number;
  close(): Promise<void>;
}

/** Bit 20 of the reserved bytes: the extension protocol (BEP 10). */
const RESERVED = Buffer.from([0, 0, 0, 0, 0, 0x10, 0, 0]);

export const handshake = (infohash: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('\x13BitTorrent protocol', 'latin1'),
    RESERVED,
    infohash,
    Buffer.from('-XX0001-hostilehosti'.slice(0, 20)),
  ]);

/** A message of BEP 3 with its length prefix. */
export function message(id: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length);
  head[4] = id;
  return Buffer.concat([head, payload]);
}

export async function startHostilePeer(
  infohash: Buffer,
  misbehave: (socket: Socket) => void,
  host = '127.0.0.3',
): Promise<HostilePeer> {
  let greeted = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    socket.once('data', () => {
      greeted++;
      socket.write(handshake(infohash));
      misbehave(socket);
    });
  }).listen(0, host);
  await once(server, 'listening');
  return {
    host,
    port: (server.address() as AddressInfo).port,
    greeted: () => greeted,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
