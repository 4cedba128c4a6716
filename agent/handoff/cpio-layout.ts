/**
 * Where the image's parts lie in the one file that becomes the kexec initrd of the `cpio` strategy:
 *
 *   [initrd.img][zeros to 4][header swarmboot][header swarmboot/root.squashfs][squashfs][zeros to 4][trailer]
 *
 * The swarm writes initrd and squashfs straight to their places, so nothing is copied before the kexec.
 * Pure.
 */
import { cpioHeader, cpioPadding, cpioTrailer, TYPE_BITS } from '../../contract/cpio.ts';

/** newc has eight hex digits for a length, and kexec_file_load takes no initrd of 4 GiB (KEXEC_FILE_SIZE_MAX). */
export const CPIO_LIMIT_BYTES = 4 * 1024 ** 3;

/** Path of the squashfs in the real system's initramfs; its boot script is told by `swarmboot.root=file:`. */
export const CPIO_ROOT_PATH = 'swarmboot/root.squashfs';

const member = (path: string, inode: number, mode: number, links: number, lengthBytes: number): Buffer =>
  cpioHeader(path, { inode, mode, links, mtime: 0, lengthBytes });

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
    cpioPadding(initrdBytes),
    member(folder, 1, TYPE_BITS.directory | 0o755, 2, 0),
    member(CPIO_ROOT_PATH, 2, TYPE_BITS.file | 0o444, 1, rootBytes),
  ]);
  const rootOffset = initrdBytes + head.length;
  const rootEnd = rootOffset + rootBytes;
  const tail = Buffer.concat([cpioPadding(rootEnd), cpioTrailer()]);
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
