/** What simulated machines say to each other: the peer protocol's messages (BEP 3, 6, 10), each with its length on the wire. */
import type { Bitset } from '../../torrent/policy/bitset.ts';
import type { UploadRequest } from '../../torrent/policy/upload-turns.ts';
import type { Message } from './network.ts';

export type PeerMessage = Message &
  (
    | {
        /** Handshake, extended handshake, bitfield. */
        readonly kind: 'hello';
        readonly peerId: Uint8Array;
        readonly origin: boolean;
        readonly pieces: Bitset;
      }
    | { readonly kind: 'have'; readonly piece: number }
    | { readonly kind: 'choke' | 'unchoke' | 'interested' | 'uninterested' }
    | { readonly kind: 'request' | 'cancel' | 'reject'; readonly request: UploadRequest }
    | { readonly kind: 'block'; readonly request: UploadRequest; readonly bad: boolean }
  );

const HELLO_BYTES = 68 + 150;
const BARE_BYTES = 5;

const BARE = {
  choke: { kind: 'choke', bytes: BARE_BYTES, payload: 0 },
  unchoke: { kind: 'unchoke', bytes: BARE_BYTES, payload: 0 },
  interested: { kind: 'interested', bytes: BARE_BYTES, payload: 0 },
  uninterested: { kind: 'uninterested', bytes: BARE_BYTES, payload: 0 },
} as const;

export const bare = (kind: keyof typeof BARE): PeerMessage => BARE[kind];

export const hello = (peerId: Uint8Array, origin: boolean, pieces: Bitset): PeerMessage => ({
  kind: 'hello',
  bytes: HELLO_BYTES + pieces.bytes.length,
  payload: 0,
  peerId,
  origin,
  pieces,
});

export const have = (piece: number): PeerMessage => ({ kind: 'have', bytes: 9, payload: 0, piece });

export const about = (kind: 'request' | 'cancel' | 'reject', request: UploadRequest): PeerMessage => ({
  kind,
  bytes: 17,
  payload: 0,
  request,
});

export const block = (request: UploadRequest, bad: boolean): PeerMessage => ({
  kind: 'block',
  bytes: 13 + request.length,
  payload: request.length,
  request,
  bad,
});
