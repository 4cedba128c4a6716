/** torrent-piece 4.0.1: which blocks of a piece are reserved, given back or here. Blocks are 16 KiB, the last may be less. */
declare module 'torrent-piece' {
  export default class Piece {
    static readonly BLOCK_LENGTH: number;
    constructor(length: number);
    readonly length: number;
    /** Bytes not here yet. */
    readonly missing: number;
    readonly sources: unknown[] | null;
    chunkLength(block: number): number;
    chunkOffset(block: number): number;
    /** The next free block, or -1. */
    reserve(): number;
    /** Gives a reserved block back. */
    cancel(block: number): void;
    get(block: number): Uint8Array | undefined | null;
    /** True if the piece is complete now. */
    set(block: number, bytes: Uint8Array, source: unknown): boolean;
  }
}
