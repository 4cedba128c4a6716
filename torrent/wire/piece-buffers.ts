/**
 * Buffers for the pieces in flight: a bounded number, made outside the JS heap once and used again, so that a download of
 * any size needs the same memory. Shared memory, so that another thread can hash them in place.
 */
export class PieceBuffers {
  readonly pieceLength: number;
  readonly most: number;
  readonly #free: Buffer[] = [];
  readonly #inUse = new Map<number, Buffer>();

  constructor(pieceLength: number, most: number) {
    this.pieceLength = pieceLength;
    this.most = most;
  }

  /** The buffer of `piece`, `length` bytes of it; taken from the pool on the first call. */
  of(piece: number, length: number): Buffer {
    let buffer = this.#inUse.get(piece);
    if (!buffer) {
      buffer = this.#free.pop() ?? Buffer.from(new SharedArrayBuffer(this.pieceLength));
      this.#inUse.set(piece, buffer);
    }
    return buffer.subarray(0, length);
  }

  get inUse(): number {
    return this.#inUse.size;
  }

  release(piece: number): void {
    const buffer = this.#inUse.get(piece);
    if (!buffer) return;
    this.#inUse.delete(piece);
    if (this.#free.length + this.#inUse.size < this.most) this.#free.push(buffer);
  }

  /** Lets the memory go: nothing will be downloaded any more. */
  clear(): void {
    this.#free.length = 0;
  }
}
