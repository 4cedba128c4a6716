/**
 * Pieces for uploading, whole, in a bounded number of buffers. One that was read from the store and went out from its first byte to its
 * last makes room first, the latest of them before others: its buffer is still in the processor's cache, and nobody may ever ask
 * for it again. Then the least recently used.
 *
 * Invariants: a buffer is used again only when no socket holds a view of it any more (`pins` is zero); however little
 * the sockets take, `SPARE_BUFFERS` can be used again at any time. Without the second, a few peers that ask for a block of every
 * piece and read nothing stop a seed.
 */
/** Never lent out: when only so many are left, sockets get copies. */
const SPARE_BUFFERS = 2;

interface Entry {
  readonly piece: number;
  readonly buffer: Buffer;
  readonly bytes: Buffer;
  pins: number;
  /** Bytes that were not lent yet; infinite for a piece that several peers will want. */
  unlent: number;
}

export interface PieceCacheOptions {
  readonly pieceLength: number;
  readonly lengthOf: (piece: number) => number;
  readonly read: (piece: number, target: Buffer) => Promise<void>;
  readonly most: number;
}

export class PieceCache {
  readonly #options: PieceCacheOptions;
  readonly #entries = new Map<number, Entry>();
  readonly #loading = new Map<number, Promise<boolean>>();
  readonly #free: Buffer[] = [];
  /** Entries that were lent from begin to end; the latest is the last. */
  readonly #spent = new Set<Entry>();
  #buffers = 0;
  /** Entries that a socket holds a view of. */
  #pinned = 0;
  #most: number;

  constructor(options: PieceCacheOptions) {
    this.#options = options;
    this.#most = options.most;
  }

  /** More buffers may be used from now on. */
  grow(most: number): void {
    this.#most = Math.max(this.#most, most);
  }

  has(piece: number): boolean {
    return this.#entries.has(piece);
  }

  /**
   * Bytes of a piece if it is here, and a function to call when nobody looks at them any more: a view where possible, a copy
   * where views would use up the buffers.
   */
  lend(
    piece: number,
    begin: number,
    length: number,
  ): { readonly bytes: Buffer; readonly giveBack: () => void } | undefined {
    const entry = this.#entries.get(piece);
    if (!entry) return undefined;
    this.#entries.delete(piece);
    this.#entries.set(piece, entry);
    const bytes = entry.bytes.subarray(begin, begin + length);
    entry.unlent -= length;
    if (entry.pins === 0 && this.#most - this.#pinned <= SPARE_BUFFERS)
      return { bytes: Buffer.from(bytes), giveBack: () => {} };
    if (entry.pins++ === 0) this.#pinned++;
    return {
      bytes,
      giveBack: () => {
        if (--entry.pins > 0) return;
        this.#pinned--;
        if (entry.unlent > 0) return;
        this.#spent.delete(entry);
        this.#spent.add(entry);
      },
    };
  }

  /** A piece that was just stored: it will be asked for, and need not be read. Copied, if there is a buffer for it. */
  keep(piece: number, bytes: Uint8Array): void {
    if (this.#entries.has(piece) || this.#loading.has(piece)) return;
    const buffer = this.#takeBuffer();
    if (!buffer) return;
    buffer.set(bytes);
    this.#entries.set(piece, {
      piece,
      buffer,
      bytes: buffer.subarray(0, bytes.length),
      pins: 0,
      unlent: Infinity,
    });
  }

  isLoading(piece: number): boolean {
    return this.#loading.has(piece);
  }

  /**
   * Reads a piece. undefined if every buffer is in use: try again when something was sent. Resolves to false if the store
   * failed.
   */
  load(piece: number): Promise<boolean> | undefined {
    const already = this.#loading.get(piece);
    if (already) return already;
    const buffer = this.#takeBuffer();
    if (!buffer) return undefined;
    const bytes = buffer.subarray(0, this.#options.lengthOf(piece));
    const loading = this.#options.read(piece, bytes).then(
      () => {
        this.#loading.delete(piece);
        this.#entries.set(piece, { piece, buffer, bytes, pins: 0, unlent: bytes.length });
        return true;
      },
      () => {
        this.#loading.delete(piece);
        this.#free.push(buffer);
        return false;
      },
    );
    this.#loading.set(piece, loading);
    return loading;
  }

  #takeBuffer(): Buffer | undefined {
    const free = this.#free.pop() ?? this.#takeSpent();
    if (free) return free;
    if (this.#buffers < this.#most) {
      this.#buffers++;
      return Buffer.allocUnsafeSlow(this.#options.pieceLength);
    }
    for (const entry of this.#entries.values()) {
      if (entry.pins > 0) continue;
      return this.#evict(entry);
    }
    return undefined;
  }

  #takeSpent(): Buffer | undefined {
    let latest: Entry | undefined;
    for (const entry of this.#spent) if (entry.pins === 0) latest = entry;
    return latest && this.#evict(latest);
  }

  #evict(entry: Entry): Buffer {
    this.#entries.delete(entry.piece);
    this.#spent.delete(entry);
    return entry.buffer;
  }
}
