/**
 * Magnet start (BEP 9): fetches an info dictionary from peers and believes it only if it has the infohash.
 *
 * Each peer is asked for all of it; the first dictionary with the right hash wins. A peer whose dictionary is wrong is
 * dropped and not dialed again.
 */
import { hash } from 'node:crypto';
import type { UtMetadata } from 'ut_metadata';
import type { Endpoint } from './endpoint.ts';
import { makePeerId } from './peer-id.ts';
import { DEFAULT_TUNING, type SwarmTuning } from './swarm/options.ts';
import { Room } from './swarm/room.ts';
import { startTracker } from './tracker.ts';
import { describeSelf } from './wire/extended-handshake.ts';
import { metadataExtension } from './wire/metadata-extension.ts';
import type { PeerConnection } from './wire/peer-connection.ts';

export interface FetchMetadataOptions {
  /** 20 bytes (v1, or a truncated v2) or 32 (v2). */
  readonly infohash: Buffer;
  readonly peers?: readonly Endpoint[];
  /** URLs. */
  readonly trackers?: readonly string[];
  /** The only deadline. */
  readonly signal: AbortSignal;
  /** Called for each peer or tracker that did not help. */
  readonly onWarning?: (warning: { readonly code: string; readonly message: string }) => void;
}

/** Longest info dictionary that is fetched, in bytes: each peer's attempt holds one in memory. */
const LONGEST_METADATA_BYTES = 8 * 2 ** 20;
const MOST_PEERS = 8;
const TICK_MS = 500;
/** Asked, and not complete within this time: the place goes to another peer. */
const ATTEMPT_MS = 20_000;

const hasInfohash = (info: Uint8Array, infohash: Buffer): boolean => {
  const sha256 = hash('sha256', info, 'buffer');
  if (infohash.length === 32) return sha256.equals(infohash);
  return hash('sha1', info, 'buffer').equals(infohash) || sha256.subarray(0, 20).equals(infohash);
};

/** Resolves to the info dictionary, byte for byte. Rejects with the signal's reason. */
export function fetchMetadata(
  options: FetchMetadataOptions,
  tuning: Partial<SwarmTuning> = {},
): Promise<Buffer> {
  const { infohash, signal, onWarning } = options;
  const warn = (code: string, message: string): void => onWarning?.({ code, message });
  const settings = { ...DEFAULT_TUNING, ...tuning };
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const peerId = makePeerId();
  const extensions = new Map<number, UtMetadata>();
  const askedAt = new Map<number, number>();

  const prepare = (peer: PeerConnection): void => {
    const { wire } = peer;
    wire.extendedHandshake = describeSelf({ origin: false, listenPort: 0 });
    const received = (info: Buffer): void => {
      if (hasInfohash(info, infohash)) resolve(info);
      else room.ban(peer.key, 'bad-metadata');
    };
    wire.use(metadataExtension({ received }));
    const extension = (wire as unknown as { ut_metadata: UtMetadata }).ut_metadata;
    extensions.set(peer.key, extension);
    // It gave up on this peer: too many rejects, or nothing to be had.
    extension.on('warning', () => peer.close('metadata-refused'));
  };

  const room = new Room({
    infohash: infohash.subarray(0, 20),
    peerId,
    shape: undefined,
    metadataBytes: 0,
    standing: () => ({ complete: false, lagSeconds: 0 }),
    maxPeers: MOST_PEERS,
    tuning: settings,
    prepare,
    joined: (peer) => {
      if (peer.wire.hasFast) peer.wire.haveNone();
      askedAt.set(peer.key, settings.now());
    },
    left: (peer, reason) => {
      extensions.delete(peer.key);
      askedAt.delete(peer.key);
      warn('metadata-peer-closed', `${peer.remote.host}:${peer.remote.port}: ${reason}`);
    },
    banned: (peer, reason) => warn('metadata-banned', `${peer}: ${reason}`),
    handlers: {
      described: (peer, { metadataSize, metadataId }) => {
        if (metadataId === 0 || metadataSize === undefined) peer.close('no-metadata');
        else if (metadataSize > LONGEST_METADATA_BYTES) peer.close('metadata-too-long');
        else if (!askedAt.has(peer.key)) peer.close('late-handshake');
        else {
          peer.wire.metadataGuard.expect(metadataSize);
          extensions.get(peer.key)?.fetch();
        }
      },
      exchanged: () => undefined,
      land: () => undefined,
      landed: () => {},
      drained: () => {},
    },
  });

  const now = (): number => settings.now();
  room.book.add(options.peers ?? [], now());
  const trackers = (options.trackers ?? []).map((url) =>
    startTracker({
      url,
      infohash: infohash.subarray(0, 20),
      peerId,
      port: 0,
      // Unknown, and not zero: a tracker must not take us for a seed.
      left: () => 1,
      uploaded: () => 0,
      downloaded: () => 0,
      onPeers: (peers) => {
        room.book.add(peers, now());
        room.dial();
      },
      onWarning: ({ code, message }) => warn(`tracker-${code}`, message),
      random: settings.random,
    }),
  );
  const timer = setInterval(() => {
    for (const [key, since] of askedAt) {
      if (now() - since > ATTEMPT_MS) room.peers.get(key)?.close('metadata-timeout');
    }
    room.dial();
  }, TICK_MS);
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  room.dial();
  return promise.finally(async () => {
    clearInterval(timer);
    signal.removeEventListener('abort', abort);
    room.close();
    await Promise.all(trackers.map((tracker) => tracker.stop()));
  });
}
