/**
 * The part of bittorrent-tracker 11.2.3's client that torrent/tracker-announce.ts uses. Members with an underscore are
 * private to the package: the version is pinned and test/torrent/tracker-hostile.test.ts would notice a change.
 */
declare module 'bittorrent-tracker/client' {
  import type { EventEmitter } from 'node:events';

  export interface AnnounceOptions {
    uploaded: number;
    downloaded: number;
    left: number;
    numwant: number;
    /** HTTP only: the address that the tracker shall give to others (BEP 3). */
    ip?: string;
  }

  /** One tracker of a client: HTTPTracker or UDPTracker. */
  export interface ClientTracker extends EventEmitter {
    setInterval(intervalMs?: number): void;
    /** HTTP only. `data` is a decoded answer, byte strings as Uint8Array. */
    _request?: (
      url: string,
      parameters: Readonly<Record<string, string | number | undefined>>,
      callback: (error: Error | null, data?: object) => void,
    ) => Promise<void>;
    _trackerId?: string;
  }

  export default class Client extends EventEmitter {
    constructor(options: {
      infoHash: Uint8Array;
      peerId: Uint8Array;
      announce: string[];
      port: number;
      userAgent?: string;
      wrtc?: false;
    });
    _trackers: ClientTracker[];
    start(options: AnnounceOptions): void;
    update(options: AnnounceOptions): void;
    complete(options: AnnounceOptions): void;
    stop(options: AnnounceOptions): void;
    destroy(callback?: () => void): void;
  }
}
