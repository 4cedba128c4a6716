/**
 * One file or block device of a store: opened once, read and written at positions, so that its bytes live in the page
 * cache, tmpfs or persistent memory and never stay in the JavaScript heap.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreError, storeErrorFrom } from './store-error.ts';

export interface StoreFile {
  readAt(position: number, target: Uint8Array): Promise<void>;
  writeAt(position: number, bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreFileOptions {
  readonly path: string;
  readonly mode: 'read' | 'write';
  /** The file must hold this many bytes; in write mode a regular file is made as long. */
  readonly neededBytes: number;
  /** Write mode: a longer regular file is cut to `neededBytes`. Never done to block devices. */
  readonly exact: boolean;
}

/** Size of a block device in bytes: stat says 0, sysfs knows (Linux, in units of 512). undefined if sysfs is not there. */
async function blockDeviceSize(rdev: number): Promise<number | undefined> {
  // dev_t of Linux, as glibc's gnu_dev_major and gnu_dev_minor read it; Number keeps 52 of its 64 bits.
  const major = Math.floor(rdev / 2 ** 8) % 2 ** 12;
  const minor = (rdev % 2 ** 8) + (Math.floor(rdev / 2 ** 20) % 2 ** 12) * 2 ** 8;
  try {
    return Number(await readFile(`/sys/dev/block/${major}:${minor}/size`, 'latin1')) * 512;
  } catch {
    return undefined;
  }
}

/** Without sysfs: is there a byte at the end of what we need? */
async function hasByteAt(handle: FileHandle, position: number): Promise<boolean> {
  if (position < 0) return true;
  return (await handle.read(Buffer.alloc(1), 0, 1, position)).bytesRead === 1;
}

async function prepare(handle: FileHandle, options: StoreFileOptions): Promise<void> {
  const { path, mode, neededBytes, exact } = options;
  const stat = await handle.stat();
  if (stat.isBlockDevice()) {
    const size = await blockDeviceSize(stat.rdev);
    const enough = size === undefined ? await hasByteAt(handle, neededBytes - 1) : size >= neededBytes;
    if (!enough) {
      throw new StoreError(
        'device-too-small',
        `Device ${path} has ${size ?? 'fewer'} bytes, ${neededBytes} are needed`,
      );
    }
    return;
  }
  if (!stat.isFile())
    throw new StoreError('bad-segments', `${path} is neither a regular file nor a block device`);
  if (mode === 'read') {
    if (stat.size < neededBytes) {
      throw new StoreError('truncated', `File ${path} has ${stat.size} bytes, ${neededBytes} are needed`);
    }
  } else if (stat.size < neededBytes || (exact && stat.size > neededBytes)) {
    await handle.truncate(neededBytes);
  }
}

class PositionedFile implements StoreFile {
  readonly path: string;
  readonly handle: FileHandle;
  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  async readAt(position: number, target: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < target.length) {
        const { bytesRead } = await this.handle.read(target, done, target.length - done, position + done);
        if (bytesRead === 0)
          throw new StoreError('truncated', `File ${this.path} ends at byte ${position + done}`);
        done += bytesRead;
      }
    } catch (error) {
      throw storeErrorFrom(error, `Cannot read ${target.length} bytes at ${position} of ${this.path}`);
    }
  }

  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < bytes.length) {
        const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw storeErrorFrom(error, `Cannot write ${bytes.length} bytes at ${position} of ${this.path}`);
    }
  }

  async sync(): Promise<void> {
    await this.handle.datasync().catch((error: unknown) => {
      // tmpfs has nothing to sync to, and some file systems say so.
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL')
        throw storeErrorFrom(error, `Cannot sync ${this.path}`);
    });
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Opens `options.path`; in write mode a missing file and its folders are made. Throws `StoreError`. */
export async function openStoreFile(options: StoreFileOptions): Promise<StoreFile> {
  const { path, mode } = options;
  let handle: FileHandle | undefined;
  try {
    if (mode === 'write') {
      // A device node that is missing must not become a file in devtmpfs; /dev/shm is a tmpfs like any other.
      const inDevtmpfs = path.startsWith('/dev/') && !path.startsWith('/dev/shm/');
      if (!inDevtmpfs) await mkdir(dirname(path), { recursive: true });
      handle = await open(path, constants.O_RDWR | (inDevtmpfs ? 0 : constants.O_CREAT), 0o644);
    } else {
      handle = await open(path, 'r');
    }
    await prepare(handle, options);
    return new PositionedFile(path, handle);
  } catch (error) {
    await handle?.close();
    throw storeErrorFrom(error, `Cannot open ${path} to ${mode}`);
  }
}
