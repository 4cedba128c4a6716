export type StoreErrorCode =
  /** Segments that do not lie one behind another, or a path that cannot hold bytes. */
  | 'bad-segments'
  /** A read or write outside of the store. */
  | 'out-of-bounds'
  /** The file system or the memory behind it is full. */
  | 'no-space'
  /** A block device is smaller than what must go onto it. */
  | 'device-too-small'
  /** A file ends before the bytes that should be there. */
  | 'truncated'
  | 'closed'
  /** Any other answer of the kernel; its code is in the message and in `cause`. */
  | 'io';

/** Why bytes could not be kept or read back. The message says where, with numbers. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}

/** What the kernel said (`ENOSPC` and the like), as a `StoreError` about `action`. */
export function storeErrorFrom(error: unknown, action: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  // tmpfs says ENOSPC at its size limit; EDQUOT is the same by quota; EFBIG by ulimit or file system.
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new StoreError(
      'no-space',
      `${action}: no space left (${code}); give the machine more memory or a smaller image`,
      error,
    );
  }
  return new StoreError('io', `${action}: ${code}`, error);
}
