/** What happens to a download and what is to be done about it. Plain data: a trace of events can be replayed. */
import type { PeerKey } from './active-piece.ts';
import type { Bitset } from './bitset.ts';

export type DownloadEvent =
  | { readonly type: 'joined'; readonly peer: PeerKey; readonly id: Uint8Array; readonly fast: boolean }
  | { readonly type: 'left'; readonly peer: PeerKey }
  | {
      readonly type: 'described';
      readonly peer: PeerKey;
      readonly origin: boolean;
      readonly requestQueue: number;
      /** In bytes; at least a block. */
      readonly longestRequest: number;
    }
  /** Bitfield, have-all or have-none; the set belongs to the policy from here on. */
  | { readonly type: 'pieces'; readonly peer: PeerKey; readonly pieces: Bitset }
  | { readonly type: 'have'; readonly peer: PeerKey; readonly piece: number }
  | { readonly type: 'choked' | 'unchoked'; readonly peer: PeerKey }
  | { readonly type: 'allowed'; readonly peer: PeerKey; readonly piece: number }
  /** One block or, for a longer request, several whole ones; those that are needed lie in the piece's buffer. */
  | {
      readonly type: 'block';
      readonly peer: PeerKey;
      readonly piece: number;
      readonly begin: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly type: 'rejected';
      readonly peer: PeerKey;
      readonly piece: number;
      readonly begin: number;
      readonly length: number;
    }
  /** The sealed piece was checked and is in the store / was checked and is bad. */
  | { readonly type: 'verified' | 'refuted'; readonly piece: number; readonly bytes: Uint8Array }
  /** A webseed failed to deliver the piece it was given, or it could not be written. */
  | { readonly type: 'abandoned'; readonly piece: number }
  | { readonly type: 'tick' };

export type DownloadCommand =
  | {
      readonly do: 'request';
      readonly peer: PeerKey;
      readonly piece: number;
      readonly begin: number;
      readonly length: number;
    }
  | {
      readonly do: 'cancel';
      readonly peer: PeerKey;
      readonly piece: number;
      readonly begin: number;
      readonly length: number;
    }
  | { readonly do: 'interest'; readonly peer: PeerKey; readonly interested: boolean }
  /** All blocks of the piece are here: check it, write it, answer with 'verified' or 'refuted'. */
  | { readonly do: 'verify'; readonly piece: number }
  /** The piece is no longer active: its buffer may be used again. */
  | { readonly do: 'release'; readonly piece: number }
  | { readonly do: 'drop'; readonly peer: PeerKey; readonly reason: string; readonly ban: boolean };

/** Events that one connected peer causes. */
export type PeerEvent = Exclude<
  DownloadEvent,
  { type: 'joined' | 'tick' | 'verified' | 'refuted' | 'abandoned' }
>;
