/** ut_metadata 5.0.1 (BEP 9): unsafe against strangers as it comes, used only through wire/metadata-extension.ts. */
declare module 'ut_metadata' {
  import type { EventEmitter } from 'node:events';
  import type Wire from 'bittorrent-protocol';

  export class UtMetadata extends EventEmitter {
    constructor(wire: Wire);
    fetch(): void;
    cancel(): void;
    onHandshake(infohash: string, peerId: string, extensions: unknown): void;
    onExtendedHandshake(handshake: Record<string, unknown>): void;
    onMessage(payload: Uint8Array): void;
    setMetadata(info: Uint8Array): Promise<boolean>;

    metadata: Uint8Array | undefined;
    _metadataComplete: boolean;
    _metadataSize: number | null;
  }
  export default function utMetadata(metadata?: Uint8Array): typeof UtMetadata;
}
