/** A small reader of newc archives, written from the kernel's document and not from our writer. */
import assert from 'node:assert/strict';

export interface NewcEntry {
  readonly name: string;
  readonly mode: number;
  /** Offset of the data in the archive, in bytes. */
  readonly dataOffset: number;
  readonly length: number;
}

/** Entries from `start` up to the trailer, and where the archive ends. Skips zeros in front, as the kernel does. */
export function readNewc(bytes: Buffer, start: number): { entries: NewcEntry[]; end: number } {
  const entries: NewcEntry[] = [];
  let offset = start;
  while (bytes[offset] === 0) offset++;
  for (;;) {
    assert.equal(offset % 4, 0, `header at ${offset} is not 4-byte aligned`);
    assert.equal(bytes.toString('latin1', offset, offset + 6), '070701');
    const field = (index: number): number => {
      const at = offset + 6 + index * 8;
      const text = bytes.toString('latin1', at, at + 8);
      assert.match(text, /^[0-9a-fA-F]{8}$/);
      return Number.parseInt(text, 16);
    };
    const mode = field(1);
    const length = field(6);
    const nameLength = field(11);
    const nameAt = offset + 110;
    assert.equal(bytes[nameAt + nameLength - 1], 0, 'name ends with a NUL');
    const name = bytes.toString('latin1', nameAt, nameAt + nameLength - 1);
    const dataOffset = Math.ceil((nameAt + nameLength) / 4) * 4;
    offset = Math.ceil((dataOffset + length) / 4) * 4;
    if (name === 'TRAILER!!!') return { entries, end: offset };
    entries.push({ name, mode, dataOffset, length });
  }
}
