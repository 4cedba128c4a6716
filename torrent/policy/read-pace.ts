/**
 * When to read a connection again. To be woken for a few bytes costs more than the bytes do, so a connection rests where
 * nothing is lost by it: one that trickles through the middle of a block, and one that brings so much that a few milliseconds
 * of it fill a read. A connection that would bring more than that in a rest is read at once: the peer would run out of
 * requests meanwhile. Pure.
 */

/** How long a connection may rest. */
export type Rest = 'soon' | 'later';

/**
 * In ms. `later` is long enough to gather some segments, and short beside the time that a block takes on a link where this
 * matters; `soon` is what 1 Gbit/s needs to bring half a MiB.
 */
export const REST_MS: Readonly<Record<Rest, number>> = { soon: 4, later: 10 };

/** A read of less than this was hardly worth its wake-up. */
const TRICKLE_BYTES = 32 * 1024;
/** A read of less than this, while more than twice as much is on its way, came too soon. */
const AMPLE_BYTES = 512 * 1024;

export interface Read {
  /** What it brought. */
  readonly bytes: number;
  /** What is yet to come of the block that is arriving; 0 if none is. */
  readonly missingBytes: number;
  /** What was asked of the peer and is not here yet. */
  readonly requestedBytes: number;
}

export class ReadPace {
  /** Came since `#since`. */
  #bytes = 0;
  #since = 0;

  /** `now`: in ms. */
  next({ bytes, missingBytes, requestedBytes }: Read, now: number): 'now' | Rest {
    this.#bytes += bytes;
    // In the middle of a block nothing can be decided before its end; a full house is read on at once.
    if (bytes < TRICKLE_BYTES && missingBytes > bytes) return 'later';
    if (bytes >= AMPLE_BYTES || requestedBytes <= 2 * AMPLE_BYTES) return 'now';
    const fills = this.#bytes * REST_MS.soon > 2 * AMPLE_BYTES * (now - this.#since);
    this.#bytes = 0;
    this.#since = now;
    return fills ? 'now' : 'soon';
  }
}
