/**
 * Writes cpio archives in the "newc" format that the kernel unpacks (Documentation/driver-api/early-userspace/
 * buffer-format.rst in the kernel source).
 *
 * Invariant: same entries, same bytes. Times are zero, owners are root, inode numbers count from 1. The archive's
 * length is a multiple of 4, because the kernel looks for the next archive at such an offset: unaligned, everything
 * behind it is lost without more than a line in the kernel log.
 */
export interface ArchiveEntry {
  /** Path without a leading slash. */
  readonly path: string;
  /** undefined makes a directory. */
  readonly bytes: Uint8Array | undefined;
  /** Permission bits; 0o755 for directories and 0o644 for files unless given. */
  readonly mode?: number;
}

const TYPE_DIRECTORY = 0o040000;
const TYPE_FILE = 0o100000;
const TRAILER = 'TRAILER!!!';
const ALIGNMENT = 4;

const padding = (length: number): Buffer => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);
const hex8 = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');

function record(inode: number, mode: number, links: number, name: string, bytes: Uint8Array): Buffer[] {
  const nameBytes = Buffer.from(`${name}\0`, 'utf8');
  const fields = [inode, mode, 0, 0, links, 0, bytes.length, 0, 0, 0, 0, nameBytes.length, 0];
  const header = Buffer.from(`070701${fields.map(hex8).join('')}`, 'latin1');
  return [
    header,
    nameBytes,
    padding(header.length + nameBytes.length),
    Buffer.from(bytes),
    padding(bytes.length),
  ];
}

/** Each path's folders, parents first: the kernel makes no missing parents, it drops the file. */
function withParents(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const all = new Map<string, ArchiveEntry>();
  for (const entry of entries) {
    const parts = entry.path.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..')) {
      throw new RangeError(`Archive path "${entry.path}" is not a plain relative path`);
    }
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join('/');
      if (!all.has(parent)) all.set(parent, { path: parent, bytes: undefined });
    }
    all.set(entry.path, entry);
  }
  return [...all.values()];
}

/** The archive of `entries` in the order given, parents added. Throws RangeError for a path that is not relative. */
export function writeArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Buffer[] = [];
  let inode = 0;
  for (const { path, bytes, mode } of withParents(entries)) {
    inode++;
    parts.push(
      ...(bytes === undefined
        ? record(inode, TYPE_DIRECTORY | (mode ?? 0o755), 2, path, new Uint8Array(0))
        : record(inode, TYPE_FILE | (mode ?? 0o644), 1, path, bytes)),
    );
  }
  parts.push(...record(0, 0, 1, TRAILER, new Uint8Array(0)));
  return Buffer.concat(parts);
}
