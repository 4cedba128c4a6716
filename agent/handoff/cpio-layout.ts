/**
 * Where the image's parts lie in the one file that becomes the kexec initrd of the `cpio` strategy:
 *
 *   [initrd.img][zeros to 4][header swarmboot][header swarmboot/root.squashfs][squashfs][zeros to 4][trailer]
 *
 * The swarm writes initrd and squashfs straight to their places, so nothing is copied before the kexec.
 * Format: "newc", Documentation/driver-api/early-userspace/buffer-format.rst of the kernel. Pure.
 */

/** newc has eight hex digits for a length, and kexec_file_load takes no initrd of 4 GiB (KEXEC_FILE_SIZE_MAX). */
export const CPIO_LIMIT_BYTES = 4 * 1024 ** 3;

/** Path of the squashfs in the real system's initramfs; its boot script is told by `swarmboot.root=file:`. */
export const CPIO_ROOT_PATH = 'swarmboot/root.squashfs';

const HEADER_LENGTH = 110;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

const align4 = (length: number): number => Math.ceil(length / 4) * 4;

interface Entry {
  readonly name: string;
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly lengthBytes: number;
}

/** Header and name of one entry, padded so that the data that follows is 4-byte aligned. */
function entryHeader({ name, inode, mode, links, lengthBytes }: Entry): Buffer {
  // magic 070701; then inode, mode, uid, gid, links, mtime, file size, device and special-device numbers,
  // name length with its NUL, and a checksum that this variant leaves 0.
  const fields = [inode, mode, 0, 0, links, 0, lengthBytes, 0, 0, 0, 0, name.length + 1, 0];
  const text = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}`;
  const bytes = Buffer.alloc(align4(HEADER_LENGTH + name.length + 1));
  bytes.write(text, 'latin1');
  return bytes;
}

export interface Literal {
  readonly offset: number;
  readonly bytes: Buffer;
}

export interface CpioLayout {
  /** Offsets in the file, in bytes. The initrd lies at 0: the kernel unpacks what comes first, first. */
  readonly initrdOffset: 0;
  readonly rootOffset: number;
  readonly lengthBytes: number;
  /** What is written around the two. */
  readonly literals: readonly Literal[];
}

/** The layout for these lengths, or undefined if it would reach 4 GiB. */
export function cpioLayout(initrdBytes: number, rootBytes: number): CpioLayout | undefined {
  if (rootBytes >= CPIO_LIMIT_BYTES) return undefined;
  const folder = CPIO_ROOT_PATH.slice(0, CPIO_ROOT_PATH.indexOf('/'));
  // After a compressed archive the kernel looks for the next one on a 4-byte boundary only; zeros are skipped.
  const head = Buffer.concat([
    Buffer.alloc(align4(initrdBytes) - initrdBytes),
    entryHeader({ name: folder, inode: 1, mode: S_IFDIR | 0o755, links: 2, lengthBytes: 0 }),
    entryHeader({ name: CPIO_ROOT_PATH, inode: 2, mode: S_IFREG | 0o444, links: 1, lengthBytes: rootBytes }),
  ]);
  const rootOffset = initrdBytes + head.length;
  const rootEnd = rootOffset + rootBytes;
  const tail = Buffer.concat([
    Buffer.alloc(align4(rootEnd) - rootEnd),
    entryHeader({ name: 'TRAILER!!!', inode: 0, mode: 0, links: 1, lengthBytes: 0 }),
  ]);
  const lengthBytes = rootEnd + tail.length;
  if (lengthBytes >= CPIO_LIMIT_BYTES) return undefined;
  return {
    initrdOffset: 0,
    rootOffset,
    lengthBytes,
    literals: [
      { offset: initrdBytes, bytes: head },
      { offset: rootEnd, bytes: tail },
    ],
  };
}
