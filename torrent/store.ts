/**
 * The bytes of a torrent, laid over files, block devices and pads.
 *
 * Invariant: segments lie one behind another from 0 to `length`; every access is checked against that before any IO.
 * Reads and writes of different ranges may run at the same time; who writes what, when, is the swarm's business.
 */

import { StoreError } from './store-error.ts';
import { openStoreFile, type StoreFile } from './store-file.ts';

export { StoreError, type StoreErrorCode } from './store-error.ts';

export interface Store {
  /** In bytes. */
  readonly length: number;
  /** Fills `target` from byte `offset` on. Throws `StoreError`. */
  read(offset: number, target: Uint8Array): Promise<void>;
  /** Writes all of `bytes` at byte `offset`; `bytes` must not change until it is done. Throws `StoreError`. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Returns when what was written is on its device. Throws `StoreError`. */
  sync(): Promise<void>;
  /** Waits for what is under way; may be called twice. */
  close(): Promise<void>;
}

export interface Segment {
  /** Where the segment begins in the store, in bytes. */
  readonly offset: number;
  /** In bytes; an empty segment makes an empty file. */
  readonly length: number;
  /** File or block device; undefined for a pad, which reads as zeros and forgets what is written. */
  readonly path: string | undefined;
  /** Where the segment begins in the file or device, in bytes. */
  readonly pathOffset: number;
  /** True where the file ends with what the segments need: in write mode a longer leftover is cut. Default false. */
  readonly wholeFile?: boolean;
}

interface Part {
  readonly offset: number;
  readonly end: number;
  readonly pathOffset: number;
  readonly file: StoreFile | undefined;
}

function checkSegments(segments: readonly Segment[]): number {
  let end = 0;
  for (const { offset, length, path, pathOffset } of segments) {
    const sane =
      Number.isSafeInteger(length) && length >= 0 && Number.isSafeInteger(pathOffset) && pathOffset >= 0;
    if (!sane || offset !== end || path === '' || path?.includes('\0')) {
      throw new StoreError(
        'bad-segments',
        `Segment ${JSON.stringify({ offset, length, path, pathOffset })} does not follow byte ${end}`,
      );
    }
    end += length;
  }
  return end;
}

/** Each file once, however many segments it has, with the bytes it must hold. */
async function openFiles(
  segments: readonly Segment[],
  mode: 'read' | 'write',
): Promise<Map<string, StoreFile>> {
  const needed = new Map<string, { bytes: number; exact: boolean }>();
  for (const { path, pathOffset, length, wholeFile } of segments) {
    if (path === undefined) continue;
    const before = needed.get(path);
    needed.set(path, {
      bytes: Math.max(before?.bytes ?? 0, pathOffset + length),
      exact: (before?.exact ?? true) && wholeFile === true,
    });
  }
  const files = new Map<string, StoreFile>();
  try {
    for (const [path, { bytes, exact }] of needed) {
      files.set(path, await openStoreFile({ path, mode, neededBytes: bytes, exact }));
    }
  } catch (error) {
    await Promise.allSettled([...files.values()].map((file) => file.close()));
    throw error;
  }
  return files;
}

class SegmentStore implements Store {
  readonly length: number;
  readonly parts: readonly Part[];
  readonly files: readonly StoreFile[];
  readonly mode: 'read' | 'write';
  closing: Promise<void> | undefined;

  constructor(length: number, parts: readonly Part[], files: readonly StoreFile[], mode: 'read' | 'write') {
    this.length = length;
    this.parts = parts;
    this.files = files;
    this.mode = mode;
  }

  /** Calls `access` for each part that `offset`..`offset + length` touches, with the range inside of it. */
  async each(
    offset: number,
    length: number,
    access: (part: Part, from: number, to: number) => Promise<void> | undefined,
  ): Promise<void> {
    if (this.closing) throw new StoreError('closed', 'The store is closed');
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > this.length) {
      throw new StoreError(
        'out-of-bounds',
        `Bytes ${offset} to ${offset + length} are outside of a store of ${this.length}`,
      );
    }
    let low = 0;
    let high = this.parts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.parts[middle]!.end <= offset) low = middle + 1;
      else high = middle;
    }
    const end = offset + length;
    const started: Promise<void>[] = [];
    for (let index = low; index < this.parts.length; index++) {
      const part = this.parts[index]!;
      if (part.offset >= end) break;
      if (part.end === part.offset) continue;
      const work = access(part, Math.max(part.offset, offset), Math.min(part.end, end));
      if (work) started.push(work);
    }
    // All must have ended before the caller's buffer is free again, failures included.
    const outcomes = await Promise.allSettled(started);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async read(offset: number, target: Uint8Array): Promise<void> {
    await this.each(offset, target.length, (part, from, to) => {
      const range = target.subarray(from - offset, to - offset);
      if (part.file) return part.file.readAt(part.pathOffset + from - part.offset, range);
      range.fill(0);
      return undefined;
    });
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (this.mode === 'read') throw new StoreError('io', 'The store was opened to read');
    await this.each(offset, bytes.length, (part, from, to) =>
      part.file?.writeAt(part.pathOffset + from - part.offset, bytes.subarray(from - offset, to - offset)),
    );
  }

  async sync(): Promise<void> {
    if (this.closing) throw new StoreError('closed', 'The store is closed');
    await Promise.all(this.files.map((file) => file.sync()));
  }

  close(): Promise<void> {
    this.closing ??= Promise.allSettled(this.files.map((file) => file.close())).then(() => undefined);
    return this.closing;
  }
}

/**
 * Opens the files and devices below `segments`. In write mode regular files are made as long as they must be (space is
 * taken as bytes arrive), block devices are checked for size and never cut. Throws `StoreError`.
 */
export async function openSegmentStore(segments: readonly Segment[], mode: 'read' | 'write'): Promise<Store> {
  const length = checkSegments(segments);
  const files = await openFiles(segments, mode);
  const parts = segments.map(
    ({ offset, length: bytes, path, pathOffset }): Part => ({
      offset,
      end: offset + bytes,
      pathOffset,
      file: path === undefined ? undefined : files.get(path),
    }),
  );
  return new SegmentStore(length, parts, [...files.values()], mode);
}
