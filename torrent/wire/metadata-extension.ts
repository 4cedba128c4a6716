/**
 * ut_metadata (BEP 9) as it can be let near strangers, together with metadata-guard.ts. The package keeps the state of
 * the exchange; what it does with a finished dictionary is replaced, because its own way decodes unverified bytes in an
 * async function whose rejection nobody catches, which ends the process.
 */
import type Wire from 'bittorrent-protocol';
import utMetadata, { type UtMetadata } from 'ut_metadata';

export interface MetadataExtensionOptions {
  /** The info dictionary to serve, if there is one. */
  readonly serve?: Uint8Array;
  /** A whole dictionary has arrived; nothing about it is verified. */
  readonly received?: (info: Buffer, extension: UtMetadata) => void;
}

export function metadataExtension({ serve, received }: MetadataExtensionOptions): {
  new (wire: Wire): UtMetadata;
} {
  const Stock = utMetadata();
  class GuardedMetadata extends Stock {
    constructor(wire: Wire) {
      super(wire);
      if (!serve) return;
      this.metadata = serve;
      this._metadataComplete = true;
      this._metadataSize = serve.length;
      wire.extendedHandshake.metadata_size = serve.length;
    }

    /** The original keeps the infohash to compare it with a SHA-1, which a v2 torrent does not have. */
    override onHandshake(): void {}

    /** The original believes the peer's size even while we serve our own dictionary. */
    override onExtendedHandshake(handshake: Record<string, unknown>): void {
      if (!serve) super.onExtendedHandshake(handshake);
    }

    /** Called with every piece in place; true keeps the original from asking again. */
    override async setMetadata(info: Uint8Array): Promise<boolean> {
      received?.(Buffer.from(info), this);
      return true;
    }
  }
  return GuardedMetadata;
}
