/** Small torrents, stores in memory and raw peers for the tests of the swarm. */
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseMetainfo } from '../../torrent/metainfo.ts';
import { createMetainfo } from '../../torrent/metainfo-create.ts';
import type { Metainfo } from '../../torrent/metainfo-model.ts';
import type { Store } from '../../torrent/store.ts';
import { Swarm, type SwarmOptions, type SwarmTuning } from '../../torrent/swarm.ts';

export const PIECE_LENGTH = 65_536;

export interface Content {
  readonly metainfo: Metainfo;
  /** The byte space, pads included. */
  readonly bytes: Buffer;
}

/** A hybrid torrent of two files; the first ends inside a piece, so there are pads. */
export async function makeContent(
  length = 40 * PIECE_LENGTH + 5000,
  pieceLength = PIECE_LENGTH,
): Promise<Content> {
  const directory = await mkdtemp(join(tmpdir(), 'swarm-test-'));
  try {
    const first = randomBytes(pieceLength + 1234);
    const second = randomBytes(length);
    await writeFile(join(directory, 'first'), first);
    await writeFile(join(directory, 'second'), second);
    const metainfo = parseMetainfo(
      await createMetainfo({
        name: 'content',
        files: [
          { path: 'first', source: join(directory, 'first') },
          { path: 'second', source: join(directory, 'second') },
        ],
        pieceLength,
      }),
    );
    const bytes = Buffer.alloc(metainfo.totalLength);
    first.copy(bytes, metainfo.files.find((file) => file.path === 'first')!.offset);
    second.copy(bytes, metainfo.files.find((file) => file.path === 'second')!.offset);
    return { metainfo, bytes };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A store in memory; `writes` lists [offset, length]. */
export class MemoryStore implements Store {
  readonly bytes: Buffer;
  readonly writes: [number, number][] = [];
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  get length(): number {
    return this.bytes.length;
  }
  async read(offset: number, target: Uint8Array): Promise<void> {
    target.set(this.bytes.subarray(offset, offset + target.length));
  }
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.writes.push([offset, bytes.length]);
    this.bytes.set(bytes, offset);
  }
  async sync(): Promise<void> {}
  async close(): Promise<void> {}
}

export const seedStore = ({ bytes }: Content): MemoryStore => new MemoryStore(bytes);
export const emptyStore = ({ bytes }: Content): MemoryStore => new MemoryStore(Buffer.alloc(bytes.length));

/** Starts a swarm on loopback that is closed when the test ends, however it ends. */
export async function startSwarm(
  t: TestContext,
  options: Omit<SwarmOptions, 'listen'> & { host?: string },
  tuning: Partial<SwarmTuning> = {},
): Promise<Swarm> {
  const { host = '127.0.0.1', ...rest } = options;
  const swarm = await Swarm.start({ ...rest, listen: { host, port: 0 } }, tuning);
  t.after(() => swarm.close());
  return swarm;
}

export const endpointOf = (swarm: Swarm, host = '127.0.0.1') => ({ host, port: swarm.port });

/** Resolves to the first event that matches; rejects after `timeoutMs`. */
export function eventOf<T>(
  emitter: EventEmitter,
  name: string,
  matches: (value: T) => boolean = () => true,
  timeoutMs = 10_000,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      emitter.off(name, listen);
    };
    const listen = (value: T): void => {
      if (!matches(value)) return;
      done();
      resolve(value);
    };
    const timer = setTimeout(() => {
      done();
      reject(new Error(`No '${name}' within ${timeoutMs} ms`));
    }, timeoutMs);
    emitter.on(name, listen);
  });
}

export async function until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function frame(id: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + body.length, 0);
  head[4] = id;
  return Buffer.concat([head, body]);
}

export const words = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
};

export interface Message {
  readonly id: number;
  readonly body: Buffer;
}

/** A peer that speaks bytes: nothing is done that the test does not say. Emits 'message', 'handshake', 'closed'. */
export class RawPeer extends EventEmitter {
  readonly socket: Socket;
  readonly peerId: Buffer;
  readonly received: Message[] = [];
  isClosed = false;
  /** For tests that answer slowly, one after another. */
  queue: Promise<void> | undefined;
  #pending = Buffer.alloc(0);
  #shaken = false;

  constructor(socket: Socket, peerId = Buffer.concat([Buffer.from('-RAW001-'), randomBytes(12)])) {
    super();
    this.socket = socket;
    this.peerId = peerId;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.emit('closed');
    });
    socket.on('data', (chunk: Buffer) => this.#feed(chunk));
  }

  static dial(t: TestContext, swarm: Swarm, localAddress = '127.0.0.1'): RawPeer {
    const socket = connect({ host: '127.0.0.1', port: swarm.port, localAddress });
    t.after(() => socket.destroy());
    return new RawPeer(socket);
  }

  /** Waits for swarms to dial it; `greet` gets each connection. */
  static async listen(
    t: TestContext,
    greet: (peer: RawPeer) => void,
    host = '127.0.0.1',
  ): Promise<{ host: string; port: number }> {
    const sockets = new Set<Socket>();
    const peerId = Buffer.concat([Buffer.from('-RAW001-'), randomBytes(12)]);
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      greet(new RawPeer(socket, peerId));
    });
    t.after(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    server.listen(0, host);
    await once(server, 'listening');
    return { host, port: (server.address() as { port: number }).port };
  }

  write(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  handshake(infohash: Buffer, options: { fast?: boolean; extended?: boolean } = {}): void {
    const { fast = true, extended = true } = options;
    const reserved = Buffer.alloc(8);
    if (extended) reserved[5]! |= 0x10;
    if (fast) reserved[7]! |= 0x04;
    this.write(Buffer.from('\x13BitTorrent protocol', 'latin1'), reserved, infohash, this.peerId);
  }

  /** Waits for a message, also one that is here already. */
  async message(id: number, timeoutMs = 10_000): Promise<Message> {
    const here = this.received.find((message) => message.id === id);
    return here ?? (await eventOf<Message>(this, 'message', (message) => message.id === id, timeoutMs));
  }

  /** Serves `bytes` like a seed; `change` may alter or replace a block, or return undefined to send nothing. */
  serve(
    { metainfo, bytes }: Content,
    change: (block: Buffer, piece: number, begin: number) => Buffer | undefined = (block) => block,
  ): void {
    this.on('handshake', () => {
      this.handshake(metainfo.wireInfohash);
      this.write(frame(14), frame(1));
    });
    this.on('message', ({ id, body }: Message) => {
      if (id !== 6) return;
      const piece = body.readUInt32BE(0);
      const begin = body.readUInt32BE(4);
      const start = piece * metainfo.pieceLength + begin;
      const block = change(Buffer.from(bytes.subarray(start, start + body.readUInt32BE(8))), piece, begin);
      if (block) this.write(frame(7, Buffer.concat([words(piece, begin), block])));
    });
  }

  #feed(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    if (!this.#shaken && this.#pending.length >= 68) {
      this.#shaken = true;
      this.emit('handshake', this.#pending.subarray(0, 68));
      this.#pending = this.#pending.subarray(68);
    }
    while (this.#shaken && this.#pending.length >= 4) {
      const length = this.#pending.readUInt32BE(0);
      if (this.#pending.length < 4 + length) return;
      const message = this.#pending.subarray(4, 4 + length);
      this.#pending = this.#pending.subarray(4 + length);
      if (length === 0) continue;
      const parsed = { id: message[0]!, body: Buffer.from(message.subarray(1)) };
      this.received.push(parsed);
      this.emit('message', parsed);
    }
  }
}
