/** The part of bittorrent-tracker 11.2.3's server that bench/tracker.ts uses; the package has no types of its own. */
declare module 'bittorrent-tracker' {
  import type { EventEmitter } from 'node:events';
  import type { Server as HttpServer } from 'node:http';

  export class Server extends EventEmitter {
    constructor(options: {
      http: boolean;
      udp: boolean;
      ws: boolean;
      stats: boolean;
      /** Milliseconds. */
      interval: number;
    });
    readonly http: HttpServer;
    listen(port: number, host: string, onListening: () => void): void;
    close(onClosed: () => void): void;
  }
}
