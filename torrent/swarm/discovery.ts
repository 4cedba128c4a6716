/**
 * Where a swarm hears of peers: trackers, the link, and what it was told at the start. All at once, none waits for
 * another: whichever is there first is early enough.
 */
import { type LocalDiscovery, startLocalDiscovery } from '../discovery/local-discovery.ts';
import type { Endpoint } from '../endpoint.ts';
import { isPrivate } from '../metainfo-private.ts';
import { startTracker, type Tracker } from '../tracker.ts';
import type { SwarmOptions } from './options.ts';

export interface DiscoveryOptions {
  readonly swarm: Pick<
    SwarmOptions,
    'metainfo' | 'trackers' | 'peers' | 'announceHost' | 'localDiscovery' | 'listen'
  >;
  /** 20 bytes. */
  readonly peerId: Buffer;
  /** Our listening port; 0 if there is none. */
  readonly port: number;
  /** Bytes that are still missing, sent and received. */
  readonly left: () => number;
  readonly uploaded: () => number;
  readonly downloaded: () => number;
  /** Connections now. */
  readonly peers: () => number;
  readonly onPeers: (endpoints: readonly Endpoint[]) => void;
  readonly warn: (code: string, message: string) => void;
  readonly now: () => number;
  readonly random: () => number;
}

export class Discovery {
  readonly #trackers: readonly Tracker[];
  readonly #local: LocalDiscovery | undefined;

  constructor(options: DiscoveryOptions) {
    const { swarm, peerId, port, onPeers, warn, now, random } = options;
    const { metainfo, listen, announceHost, localDiscovery = false } = swarm;
    this.#trackers = (swarm.trackers ?? metainfo.announce).map((url) =>
      startTracker({
        url,
        infohash: metainfo.wireInfohash,
        peerId,
        port,
        left: options.left,
        uploaded: options.uploaded,
        downloaded: options.downloaded,
        onPeers,
        onWarning: ({ code, message }) => warn(`tracker-${code}`, message),
        random,
        announceHost,
      }),
    );
    onPeers(swarm.peers ?? metainfo.explicitPeers);
    if (!localDiscovery || isPrivate(metainfo)) return;
    // BEP 52: where 20 bytes must do, the v2 infohash is cut. We answer to the other name only, so only that is announced.
    const v2 = metainfo.infohashV2?.subarray(0, 20).toString('hex');
    this.#local = startLocalDiscovery({
      infohash: metainfo.wireInfohash.toString('hex'),
      alsoKnownAs: v2 === undefined ? [] : [v2],
      port,
      host: listen?.host,
      peers: options.peers,
      onPeer: (endpoint) => onPeers([endpoint]),
      onWarning: (message) => warn('local-discovery', message),
      now,
      random,
    });
  }

  /** The download is complete. */
  complete(): void {
    for (const tracker of this.#trackers) tracker.complete();
  }

  /** Says goodbye where that is done; takes 2 s at most. May be called twice. */
  async stop(): Promise<void> {
    this.#local?.close();
    await Promise.all(this.#trackers.map((tracker) => tracker.stop()));
  }
}
