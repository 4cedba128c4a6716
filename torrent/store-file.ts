/**
 * One file or block device of a store: opened once, read and written at positions, so that its bytes live in the page
 * cache, tmpfs or persistent memory and never stay in the JavaScript heap.
 */
import { constants, readSync, type Stats, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, readlink, statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { mayAccess, nextTurn } from './memory-turns.ts';
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

/** `f_type` of file systems whose files are memory and nothing else: tmpfs and ramfs, statfs(2). */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);
/** The same among block devices: persistent memory, as the handoff leaves it behind, and RAM disks. */
const MEMORY_DEVICE = /^(pmem|ram)\d/;

/** The directory of sysfs that tells about a block device (Linux). */
function sysfsOf({ rdev }: Stats): string {
  // dev_t of Linux, as glibc's gnu_dev_major and gnu_dev_minor read it; Number keeps 52 of its 64 bits.
  const major = Math.floor(rdev / 2 ** 8) % 2 ** 12;
  const minor = (rdev % 2 ** 8) + (Math.floor(rdev / 2 ** 20) % 2 ** 12) * 2 ** 8;
  return `/sys/dev/block/${major}:${minor}`;
}

/** Size of a block device in bytes: stat says 0, sysfs knows (in units of 512). undefined if sysfs is not there. */
async function blockDeviceSize(stat: Stats): Promise<number | undefined> {
  try {
    return Number(await readFile(`${sysfsOf(stat)}/size`, 'latin1')) * 512;
  } catch {
    return undefined;
  }
}

/** Whether reading and writing are copies in memory, unless tmpfs was swapped out. False where the system does not tell. */
async function isMemory(path: string, stat: Stats): Promise<boolean> {
  try {
    if (stat.isBlockDevice()) return MEMORY_DEVICE.test(basename(await readlink(sysfsOf(stat))));
    return MEMORY_FILE_SYSTEMS.has((await statfs(path)).type);
  } catch {
    return false;
  }
}

/** Without sysfs: is there a byte at the end of what we need? */
async function hasByteAt(handle: FileHandle, position: number): Promise<boolean> {
  if (position < 0) return true;
  return (await handle.read(Buffer.alloc(1), 0, 1, position)).bytesRead === 1;
}

async function prepare(handle: FileHandle, stat: Stats, options: StoreFileOptions): Promise<void> {
  const { path, mode, neededBytes, exact } = options;
  if (stat.isBlockDevice()) {
    const size = await blockDeviceSize(stat);
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
  readonly #inMemory: boolean;

  constructor(path: string, handle: FileHandle, inMemory: boolean) {
    this.path = path;
    this.handle = handle;
    this.#inMemory = inMemory;
  }

  async readAt(position: number, target: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < target.length) {
        const bytesRead = await this.#read(target, done, position + done);
        if (bytesRead === 0)
          throw new StoreError('truncated', `File ${this.path} ends at byte ${position + done}`);
        done += bytesRead;
      }
    } catch (error) {
      throw storeErrorFrom(error, `Cannot read ${target.length} bytes at ${position} of ${this.path}`);
    }
  }

  /** Memory is copied here and now: to wake another thread for it, and to be woken by it, costs more than the copy. */
  #read(target: Uint8Array, from: number, position: number): number | Promise<number> {
    const length = target.length - from;
    if (!this.#inMemory)
      return this.handle.read(target, from, length, position).then(({ bytesRead }) => bytesRead);
    if (mayAccess(length)) return readSync(this.handle.fd, target, from, length, position);
    return nextTurn().then(() => this.#read(target, from, position));
  }

  #write(bytes: Uint8Array, from: number, position: number): number | Promise<number> {
    const length = bytes.length - from;
    if (!this.#inMemory)
      return this.handle.write(bytes, from, length, position).then(({ bytesWritten }) => bytesWritten);
    if (mayAccess(length)) return writeSync(this.handle.fd, bytes, from, length, position);
    return nextTurn().then(() => this.#write(bytes, from, position));
  }

  async writeAt(position: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < bytes.length) {
        done += await this.#write(bytes, done, position + done);
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
    const stat = await handle.stat();
    await prepare(handle, stat, options);
    return new PositionedFile(path, handle, await isMemory(path, stat));
  } catch (error) {
    await handle?.close();
    throw storeErrorFrom(error, `Cannot open ${path} to ${mode}`);
  }
}
