/**
 * Where the image's parts lie in the one file that becomes the kexec initrd of the `retain` strategy:
 *
 *   [initrd.img][zeros][squashfs]
 *
 * The kernel unpacks the initrd, skips the zeros, finds no archive in "hsqs" and stops with one line on the console
 * ("Initramfs unpacking failed: invalid magic at start of compressed archive"), which is harmless: what came before is
 * unpacked. With `retain_initrd` the whole file stays where it is and shows as /sys/firmware/initrd (Linux 6.8,
 * Documentation/admin-guide/kernel-parameters.txt); the boot script puts a loop device over the squashfs in it.
 * What else the real system shall find in its initramfs goes into the zeros; behind the squashfs nobody would look.
 * Pure.
 */

/** kexec_file_load takes no initrd of 4 GiB (KEXEC_FILE_SIZE_MAX). */
export const RETAIN_LIMIT_BYTES = 4 * 1024 ** 3;
/** A loop device begins on a sector at least; on a page, reads of the squashfs stay within as few pages as can be. */
const PAGE_BYTES = 4096;

export interface RetainLayout {
  /** Offsets in the file, in bytes. */
  readonly initrdOffset: 0;
  readonly rootOffset: number;
  /** Where another archive may be put, and how long it may be. */
  readonly room: { readonly offset: number; readonly lengthBytes: number };
  readonly lengthBytes: number;
  /** Nothing is written around the two: a new file is zeros. */
  readonly literals: readonly [];
}

/** For the archive of leave-state.ts: most of it is hashes, below 128 bytes for each piece of 1 MiB or more. */
const roomBytes = (rootBytes: number): number => 256 * 1024 + Math.ceil(rootBytes / 8192);

/** The layout for these lengths, or undefined if it would reach 4 GiB. */
export function retainLayout(initrdBytes: number, rootBytes: number): RetainLayout | undefined {
  const offset = Math.ceil(initrdBytes / 4) * 4;
  const rootOffset = Math.ceil((offset + roomBytes(rootBytes)) / PAGE_BYTES) * PAGE_BYTES;
  const room = { offset, lengthBytes: rootOffset - offset };
  const lengthBytes = rootOffset + rootBytes;
  return lengthBytes < RETAIN_LIMIT_BYTES
    ? { initrdOffset: 0, rootOffset, room, lengthBytes, literals: [] }
    : undefined;
}
