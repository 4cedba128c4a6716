/**
 * The tracker: bittorrent-tracker's server behind our guards, over the HTTP server's port and UDP on the same number.
 *
 * Invariant: only our own infohashes are tracked; each has at most PEERS_LIMIT peers, at most ADDRESS_LIMIT from one
 * address, and a peer that is silent for PEER_TTL_MS is forgotten. Nothing that arrives ends the process.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { ServerResponse } from 'node:http';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import TrackerServer, {
  type AnnounceParams,
  type AnnounceResponse,
  type TrackerPeer,
} from 'bittorrent-tracker/server';
import { encodeBencode } from '../../torrent/index.ts';
import { Failure, systemCode } from '../failure.ts';
import { AddressBudget } from '../http/address-budget.ts';
import { parseAnnounce, parseScrape, type Refused } from './http-query.ts';
import { localAddressFor } from './local-address.ts';
import { UdpGuard } from './udp-guard.ts';

/** Short, because a boot lasts a minute: a peer that came late must be found soon. */
const INTERVAL_MS = 15_000;
const PEER_TTL_MS = 120_000;
const PEERS_LIMIT = 4096;
const ADDRESS_LIMIT = 64;
/** ADDRESS_LIMIT peers announce five times a second, and all at once when the room is switched on. */
const REQUEST_BUDGET = { burst: 256, perSecond: 32 };
const TOO_OFTEN: Refused = { refused: 'too many requests from your address' };

export interface TrackerOptions {
  /** Infohashes that are tracked, as lower-case hex. */
  readonly infohashes: () => readonly string[];
  /** Port of our own seeder of an infohash, or undefined. */
  readonly seederPort: (infohashHex: string) => number | undefined;
  readonly warn: (message: string, fields: Record<string, unknown>) => void;
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

export class Tracker {
  readonly #options: TrackerOptions;
  readonly #server: TrackerServer;
  readonly #guard = new UdpGuard(randomBytes(32));
  readonly #budget = new AddressBudget(REQUEST_BUDGET);
  #udp: Socket | undefined;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#server = new TrackerServer({
      ...{ http: false, udp: false, ws: false, stats: false },
      interval: INTERVAL_MS,
      peersCacheLength: PEERS_LIMIT,
      peersCacheTtl: PEER_TTL_MS,
      filter: (infohash, params, callback) => callback(this.#refusal(infohash, params)),
    });
    // Warnings are about other people's requests; they are not ours to log one by one.
    this.#server.on('warning', () => {});
    this.#server.on('error', (error: Error) => options.warn(`Tracker: ${error.message}`, {}));
    this.#server.createSwarm = (infohash, callback) => {
      // As in the library's own createSwarm: later, because callers rely on it.
      process.nextTick(() => {
        const swarm = new SwarmWithSeeder(infohash, this.#server, (address) =>
          this.#seederPeer(infohash, address),
        );
        this.#server.torrents[infohash] = swarm;
        callback(null, swarm);
      });
    };
  }

  /** Receives UDP announces on `port` of the IPv4 address `host`. Throws `Failure` `port-in-use`. */
  async listenUdp(port: number, host: string): Promise<void> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ port, address: host, exclusive: true }, () => {
        socket.off('error', reject);
        resolve();
      });
    }).catch((error: unknown) => {
      socket.close();
      if (systemCode(error) === 'EADDRINUSE') {
        throw new Failure(
          'port-in-use',
          `UDP port ${port} is in use; stop the other program or give another --http-port`,
        );
      }
      throw error;
    });
    socket.on('error', (error) => this.#options.warn(`UDP tracker: ${error.message}`, {}));
    socket.on('message', (message, from) => this.#onDatagram(socket, message, from));
    this.#udp = socket;
    this.useUdpSocket(socket);
  }

  /** Answers to UDP requests go out through `socket` from here on. */
  useUdpSocket(socket: Socket): void {
    this.#server.udp4 = socket;
  }

  /** A datagram that the guard let through. */
  passUdp(message: Buffer, from: { address: string; port: number; family: string }): void {
    this.#server.onUdpRequest(message, from);
  }

  /** Answers an announce; `query` is what stands behind the question mark. */
  announce(query: string, remoteAddress: string, response: ServerResponse): void {
    response.setHeader('content-type', 'text/plain');
    const parsed = this.#mayAsk(remoteAddress) ? parseAnnounce(query) : TOO_OFTEN;
    if ('refused' in parsed) refuse(parsed, response);
    else
      this.#server.onHttpRequest({ url: parsed.url, headers: {}, connection: { remoteAddress } }, response);
  }

  /** Answers a scrape (BEP 48) itself: bittorrent-tracker writes binary infohashes as UTF-8. */
  scrape(query: string, remoteAddress: string, response: ServerResponse): void {
    response.setHeader('content-type', 'text/plain');
    const parsed = this.#mayAsk(remoteAddress) ? parseScrape(query) : TOO_OFTEN;
    if ('refused' in parsed) {
      refuse(parsed, response);
      return;
    }
    const files = new Map(
      parsed.infohashes
        .filter((infohash) => this.#options.infohashes().includes(infohash))
        .map((infohash) => {
          const swarm = this.#server.torrents[infohash];
          const complete = (swarm?.complete ?? 0) + 1; // our own seeder
          const counts = { complete, downloaded: complete, incomplete: swarm?.incomplete ?? 0 };
          return [Buffer.from(infohash, 'hex').toString('latin1'), new Map(Object.entries(counts))] as const;
        }),
    );
    response.end(encodeBencode(new Map([['files', files]])));
  }

  /** Forgets swarms of releases that are gone. */
  prune(): void {
    const wanted = new Set(this.#options.infohashes());
    for (const infohash of Object.keys(this.#server.torrents)) {
      if (!wanted.has(infohash)) delete this.#server.torrents[infohash];
    }
  }

  async close(): Promise<void> {
    this.#udp?.removeAllListeners('message');
    await new Promise<void>((resolve) => this.#server.close(resolve)); // closes the UDP socket too
  }

  #mayAsk(address: string): boolean {
    return this.#budget.take(address, Date.now());
  }

  #onDatagram(
    socket: Socket,
    message: Buffer,
    from: { address: string; port: number; family: string },
  ): void {
    // Senders of datagrams can be forged, but not their connection ids: what is dropped here costs those alone who flood.
    if (from.port === 0) return;
    const verdict = this.#guard.judge(message, from.address, Date.now());
    if (verdict.kind === 'pass' && this.#mayAsk(from.address)) this.passUdp(verdict.message, from);
    else if (verdict.kind === 'answer') socket.send(verdict.bytes, from.port, from.address, () => {});
  }

  #refusal(infohash: string, params: AnnounceParams): Error | null {
    if (!this.#options.infohashes().includes(infohash))
      return new Error('this tracker does not know that torrent');
    const peers = this.#server.torrents[infohash]?.peers;
    if (!peers || isLoopback(params.ip)) return null;
    const own = peers.keys.filter(
      (key) => key.startsWith(`${params.ip}:`) || key.startsWith(`[${params.ip}]:`),
    );
    if (own.length < ADDRESS_LIMIT || own.some((key) => key.endsWith(`:${params.port}`))) return null;
    return new Error('too many peers at your address');
  }

  /** Our seeder as a peer, at the address of ours that is in the network of the asking peer. */
  #seederPeer(infohash: string, remoteAddress: string): TrackerPeer | undefined {
    const port = this.#options.seederPort(infohash);
    const ip = localAddressFor(remoteAddress, networkInterfaces());
    return port === undefined || ip === undefined
      ? undefined
      : { peerId: '00'.repeat(20), ip, port, complete: true };
  }
}

const refuse = ({ refused }: Refused, response: ServerResponse): void => {
  response.end(encodeBencode(new Map([['failure reason', Buffer.from(refused)]])));
};

/** A swarm whose answers begin with our own seeder. */
class SwarmWithSeeder extends TrackerServer.Swarm {
  readonly #seeder: (address: string) => TrackerPeer | undefined;

  constructor(infohash: string, server: TrackerServer, seeder: (address: string) => TrackerPeer | undefined) {
    super(infohash, server);
    this.#seeder = seeder;
  }

  override announce(
    params: AnnounceParams,
    callback: (error: Error | null, response?: AnnounceResponse) => void,
  ): void {
    super.announce(params, (error, response) => {
      const seeder = isIPv4(params.ip) ? this.#seeder(params.ip) : undefined;
      if (response && seeder && params.event !== 'stopped') {
        response.peers.unshift(seeder);
        response.complete++;
      }
      callback(error, response);
    });
  }
}
