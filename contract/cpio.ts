/**
 * Writes cpio archives in the "newc" format, the one the kernel unpacks as initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Three of us make them: the stage-1 build, the
 * server for the boot archive of an image, and the agent around the root image that it hands over.
 *
 * Invariant: the bytes are a function of the entries and the time stamp alone. Entries are sorted by path, inodes are
 * numbered in that order, every owner is root, nothing is taken from the machine that builds.
 */

/** One thing in an archive. Paths are relative, without leading or trailing slash. */
export type Entry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly bytes: Uint8Array }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'character-device';
      readonly path: string;
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    };

/** Type bits of st_mode, inode(7). */
export const TYPE_BITS = {
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
  'character-device': 0o020000,
} as const;
const TRAILER = 'TRAILER!!!';
/** The kernel looks for the next header, and the next archive, at multiples of it; what lies between must be zeros. */
const ALIGNMENT = 4;
/** The header has eight hexadecimal digits for a size. */
const LARGEST_FILE_BYTES = 0xffffffff;

const hex8 = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');

/** Zeros from `length` to the next multiple of four. */
export const cpioPadding = (length: number): Buffer =>
  Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);

function modeOf(entry: Entry): number {
  if (entry.kind === 'symlink') return TYPE_BITS.symlink | 0o777;
  return TYPE_BITS[entry.kind] | (entry.kind === 'directory' ? (entry.mode ?? 0o755) : entry.mode);
}

function dataOf(entry: Entry): Uint8Array {
  if (entry.kind === 'file') return entry.bytes;
  return entry.kind === 'symlink' ? Buffer.from(entry.target) : Buffer.alloc(0);
}

export interface Header {
  readonly inode: number;
  /** st_mode, with the type. */
  readonly mode: number;
  readonly links: number;
  /** In seconds since 1970. */
  readonly mtime: number;
  readonly lengthBytes: number;
  readonly device?: readonly [major: number, minor: number];
}

/** Header and name of a member, padded: its data follows at once, and `cpioPadding` of its length behind that. */
export function cpioHeader(path: string, header: Header): Buffer {
  const name = Buffer.from(`${path}\0`);
  const fields = [
    header.inode,
    header.mode,
    0, // uid
    0, // gid
    header.links,
    header.mtime,
    header.lengthBytes,
    0, // device of the file system, major
    0, // and minor
    header.device?.[0] ?? 0,
    header.device?.[1] ?? 0,
    name.length,
    0, // checksum: only in "070702"
  ];
  const head = Buffer.concat([Buffer.from(`070701${fields.map(hex8).join('')}`, 'latin1'), name]);
  return Buffer.concat([head, cpioPadding(head.length)]);
}

/** The end mark of an archive. */
export const cpioTrailer = (): Buffer =>
  cpioHeader(TRAILER, { inode: 0, mode: 0, links: 1, mtime: 0, lengthBytes: 0 });

function checkPaths(entries: readonly Entry[]): void {
  const directories = new Set<string>();
  const seen = new Set<string>();
  for (const { path, kind } of entries) {
    if (path === '' || path.startsWith('/') || path.split('/').some((part) => ['', '.', '..'].includes(part)))
      throw new Error(`Cannot put "${path}" into a cpio: not a plain relative path`);
    if (path === TRAILER) throw new Error(`Cannot put "${path}" into a cpio: it is the name of the end mark`);
    if (seen.has(path)) throw new Error(`Cannot put "${path}" into a cpio twice`);
    seen.add(path);
    if (kind === 'directory') directories.add(path);
  }
  // The kernel makes no parent directories: a file without one is silently not there.
  for (const { path } of entries) {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (parent !== '' && !directories.has(parent))
      throw new Error(`Cannot put "${path}" into a cpio: no entry for its directory "${parent}"`);
  }
}

/** Adds every directory that the paths need and that is not there, mode 0755. */
export function withDirectories(entries: readonly Entry[]): Entry[] {
  const present = new Set(entries.map(({ path }) => path));
  const added: Entry[] = [];
  for (const { path } of entries) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const directory = parts.slice(0, depth).join('/');
      if (present.has(directory)) continue;
      present.add(directory);
      added.push({ kind: 'directory', path: directory });
    }
  }
  return [...entries, ...added];
}

/** Byte order, not locale order; it also puts a directory before what is in it. */
const byPath = (left: Entry, right: Entry): number =>
  Buffer.compare(Buffer.from(left.path), Buffer.from(right.path));

/**
 * One archive with an end mark, its length a multiple of four so that another may follow.
 * `mtime` is in seconds since 1970 (SOURCE_DATE_EPOCH). Throws Error for a path that cannot be in an archive.
 */
export function writeCpio(entries: readonly Entry[], mtime: number): Buffer {
  checkPaths(entries);
  const parts: Uint8Array[] = [];
  let inode = 1;
  for (const entry of [...entries].sort(byPath)) {
    const data = dataOf(entry);
    if (data.length > LARGEST_FILE_BYTES)
      throw new Error(`Cannot put "${entry.path}" into a cpio: more than 4 GiB`);
    const header = cpioHeader(entry.path, {
      inode: inode++,
      mode: modeOf(entry),
      links: entry.kind === 'directory' ? 2 : 1,
      mtime,
      lengthBytes: data.length,
      ...(entry.kind === 'character-device' ? { device: [entry.major, entry.minor] } : {}),
    });
    parts.push(header, data, cpioPadding(data.length));
  }
  parts.push(cpioTrailer());
  return Buffer.concat(parts);
}
