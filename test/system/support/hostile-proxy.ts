/**
 * Stands between a leecher and an honest seed, speaks through as the seed itself, and spoils blocks on the way. Each
 * spoilt block is counted: a test that counts none has injected nothing.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Endpoint } from '../../../torrent/index.ts';

/** `alter`: one bit of every block. `cut`: half of a block, then the connection closes. */
export type Fault = 'alter' | 'cut';

export interface HostileProxy {
  readonly host: string;
  readonly port: number;
  /** Faults that were injected so far. */
  readonly injected: () => number;
  /** Connections that leechers made so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

const HANDSHAKE_BYTES = 68;
const PIECE = 7;
/** Id, piece and begin before the bytes of a block (BEP 3). */
const BLOCK_AT = 4 + 9;
/** `cut` lets this many blocks through first, so that a piece is under way. */
const BLOCKS_BEFORE_CUT = 3;

/** Splits what a peer sends into its handshake and whole messages, each with its length prefix. */
export function* messages(): Generator<Buffer | undefined, void, Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let greeted = false;
  for (;;) {
    const length = greeted ? (rest.length < 4 ? Number.NaN : 4 + rest.readUInt32BE(0)) : HANDSHAKE_BYTES;
    if (rest.length >= length) {
      greeted = true;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      yield message;
    } else rest = Buffer.concat([rest, (yield undefined) as Buffer]);
  }
}

export async function startHostileProxy(
  target: Endpoint,
  fault: Fault,
  host = '127.0.0.2', // of its own: who bans by address must not ban the honest peers of the test
): Promise<HostileProxy> {
  let injected = 0;
  let connections = 0;
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server = createServer((leecher) => {
    connections++;
    const seed = connect(target);
    track(leecher);
    track(seed);
    leecher.pipe(seed);
    leecher.on('close', () => seed.destroy());
    seed.on('close', () => leecher.destroy());
    const split = messages();
    split.next();
    let blocks = 0;
    seed.on('data', (data: Buffer) => {
      for (let { value } = split.next(data); value; { value } = split.next(Buffer.alloc(0))) {
        const isBlock = value.length > BLOCK_AT && value[4] === PIECE && value.length !== HANDSHAKE_BYTES;
        if (isBlock) blocks++;
        if (isBlock && fault === 'alter') {
          value[value.length - 1]! ^= 1;
          injected++;
        }
        if (isBlock && fault === 'cut' && blocks > BLOCKS_BEFORE_CUT) {
          injected++;
          leecher.end(value.subarray(0, BLOCK_AT + (value.length - BLOCK_AT) / 2));
          seed.destroy();
          return;
        }
        leecher.write(value);
      }
    });
  }).listen(0, host);
  await once(server, 'listening');
  return {
    host,
    port: (server.address() as AddressInfo).port,
    injected: () => injected,
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
