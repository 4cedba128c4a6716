/**
 * A fixed set of piece indexes, in the byte layout of the bitfield message (BEP 3: piece 0 is the highest bit).
 *
 * Invariant: bits behind `size` are zero, and `count` is the number of ones.
 */
export class Bitset {
  readonly size: number;
  readonly bytes: Uint8Array;
  #count = 0;

  constructor(size: number) {
    this.size = size;
    this.bytes = new Uint8Array(Math.ceil(size / 8));
  }

  /** Every index from 0 to `size` - 1. */
  static full(size: number): Bitset {
    const bits = new Bitset(size);
    bits.bytes.fill(0xff);
    if (size % 8 !== 0) bits.bytes[bits.bytes.length - 1] = (0xff << (8 - (size % 8))) & 0xff;
    bits.#count = size;
    return bits;
  }

  /** undefined unless `bytes` has the exact length and zero spare bits, as BEP 3 demands. The bytes are copied. */
  static fromBitfield(size: number, bytes: Uint8Array): Bitset | undefined {
    if (bytes.length !== Math.ceil(size / 8)) return undefined;
    if (size % 8 !== 0 && (bytes[bytes.length - 1]! & (0xff >> (size % 8))) !== 0) return undefined;
    const bits = new Bitset(size);
    bits.bytes.set(bytes);
    for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) bits.#count++;
    return bits;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.size;
  }

  has(index: number): boolean {
    return (this.bytes[index >> 3]! & (0x80 >> (index & 7))) !== 0;
  }

  /** True if `index` was not in the set before. */
  add(index: number): boolean {
    if (index < 0 || index >= this.size || this.has(index)) return false;
    this.bytes[index >> 3]! |= 0x80 >> (index & 7);
    this.#count++;
    return true;
  }

  /** True if `index` was in the set. */
  delete(index: number): boolean {
    if (index < 0 || index >= this.size || !this.has(index)) return false;
    this.bytes[index >> 3]! &= ~(0x80 >> (index & 7));
    this.#count--;
    return true;
  }

  /** Calls `visit` for every index that is in this set and not in `other`, which has the same size, in order. */
  forEachNotIn(other: Bitset, visit: (index: number) => void): void {
    const { bytes } = this;
    const theirs = other.bytes;
    for (let at = 0; at < bytes.length; at++) {
      let rest = bytes[at]! & ~theirs[at]!;
      while (rest !== 0) {
        // Of 32 bits the highest of a byte is the 24th.
        const bit = Math.clz32(rest) - 24;
        visit(at * 8 + bit);
        rest &= ~(0x80 >> bit);
      }
    }
  }

  *[Symbol.iterator](): Generator<number> {
    for (let index = 0; index < this.size; index++) if (this.has(index)) yield index;
  }
}
