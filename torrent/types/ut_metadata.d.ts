/** ut_metadata 5.0.1 (BEP 9): unsafe against strangers as it comes, used only behind wire/metadata-guard.ts. */
declare module 'ut_metadata' {
  import type { EventEmitter } from 'node:events';
  import type Wire from 'bittorrent-protocol';

  export interface UtMetadata extends EventEmitter {
    /** The raw bytes once 'metadata' was emitted. */
    readonly metadata?: Uint8Array;
    fetch(): void;
    cancel(): void;
    onHandshake(infohash: string, peerId: string, extensions: unknown): void;
    onExtendedHandshake(handshake: Record<string, unknown>): void;
    onMessage(payload: Uint8Array): void;
  }
  export default function utMetadata(metadata?: Uint8Array): {
    new (wire: Wire): UtMetadata;
    prototype: UtMetadata;
  };
}
