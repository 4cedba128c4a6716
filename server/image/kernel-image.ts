/** Reads which kernel an image file holds: release (`uname -r`) and architecture. */
import type { Arch } from '../../contract/manifest.ts';
import { Failure } from '../failure.ts';

export interface KernelImage {
  readonly arch: Arch;
  /** undefined where the format does not tell (arm64); then the modules in the root image do. */
  readonly release: string | undefined;
}

/** How much of the file must be given, in bytes: the x86 setup part is at most 64 sectors. */
export const KERNEL_HEAD_BYTES = 64 * 1024;

/**
 * x86: Documentation/arch/x86/boot.rst. "HdrS" at 0x202; at 0x20e the offset, less 0x200, of the version string,
 * which begins with the release. XLF_KERNEL_64 at 0x236 says that it is a 64-bit kernel.
 * arm64: Documentation/arch/arm64/booting.rst, "ARM\x64" at 56; Debian's vmlinuz is that, or an EFI zboot.
 * Throws `Failure` `bad-image`.
 */
export function readKernelImage(head: Buffer, path: string): KernelImage {
  if (head.length >= 0x238 && head.toString('latin1', 0x202, 0x206) === 'HdrS') {
    const version = head.readUInt16LE(0x20e) + 0x200;
    const text = head.toString('latin1', version, Math.min(version + 256, head.length));
    const release = /^([0-9][A-Za-z0-9.+~_-]{0,63}) /.exec(text)?.[1];
    if ((head.readUInt16LE(0x236) & 1) === 0) {
      throw new Failure('bad-image', `${path} is a 32-bit x86 kernel; swarmboot boots amd64 and arm64`);
    }
    return { arch: 'amd64', release };
  }
  if (head.length >= 60 && head.toString('latin1', 56, 60) === 'ARM\x64') {
    return { arch: 'arm64', release: undefined };
  }
  if (head.toString('latin1', 0, 2) === 'MZ' && head.toString('latin1', 4, 8) === 'zimg') {
    return { arch: 'arm64', release: undefined };
  }
  throw new Failure('bad-image', `${path} is not a Linux kernel (no x86 "HdrS", no arm64 header)`);
}
