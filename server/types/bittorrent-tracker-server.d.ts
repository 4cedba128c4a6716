/** What we use of bittorrent-tracker 11.2.3's server; the package has no types of its own. */
declare module 'bittorrent-tracker/server' {
  import type { Socket } from 'node:dgram';
  import { EventEmitter } from 'node:events';
  import type { ServerResponse } from 'node:http';

  export interface TrackerPeer {
    readonly peerId: string;
    readonly ip: string;
    readonly port: number;
    readonly complete?: boolean;
  }
  export interface AnnounceParams {
    readonly type: 'http' | 'udp';
    /** Lower-case hex. */
    readonly info_hash: string;
    readonly peer_id: string;
    readonly ip: string;
    readonly port: number;
    readonly event?: string;
  }
  export interface AnnounceResponse {
    complete: number;
    incomplete: number;
    peers: TrackerPeer[];
  }
  type Callback<T> = (error: Error | null, value?: T) => void;

  export class Swarm {
    constructor(infoHash: string, server: Server);
    readonly peers: { readonly keys: string[]; peek(key: string): TrackerPeer | undefined };
    complete: number;
    incomplete: number;
    announce(params: AnnounceParams, callback: Callback<AnnounceResponse>): void;
  }

  export interface ServerOptions {
    http?: false;
    udp?: false;
    ws?: false;
    stats?: false;
    /** Milliseconds. */
    interval?: number;
    peersCacheLength?: number;
    /** Milliseconds. */
    peersCacheTtl?: number;
    filter?: (infoHash: string, params: AnnounceParams, callback: (error: Error | null) => void) => void;
  }

  export default class Server extends EventEmitter {
    static Swarm: typeof Swarm;
    constructor(options: ServerOptions);
    torrents: Record<string, Swarm>;
    udp4: Socket | null;
    destroyed: boolean;
    createSwarm(infoHash: string, callback: Callback<Swarm>): void;
    /** Uses `url` and `connection.remoteAddress` of the request, and `end` of the response. */
    onHttpRequest(
      request: { url: string; headers: object; connection: { remoteAddress: string } },
      response: Pick<ServerResponse, 'end'>,
    ): void;
    onUdpRequest(message: Buffer, from: { address: string; port: number; family: string }): void;
    close(callback?: () => void): void;
  }
}
