/** What differs between the architectures that stage-1 is built for, in one table. */
import type { Arch } from '../contract/manifest.ts';

export interface Architecture {
  /** Debian's metapackage of the signed kernel. */
  readonly kernelPackage: string;
  /** Where the dynamic linker looks in stage-1, and what Debian packages install there. ld.so(8) */
  readonly libraryDirectory: string;
  /** Kernel and initrd together, in bytes: every machine of a room fetches this from the server. */
  readonly limitBytes: number;
  /** Modules of contents.ts that Debian's kernel for it does not have. */
  readonly modulesAbsent: readonly string[];
}

export const ARCHITECTURES: Readonly<Record<Arch, Architecture>> = {
  amd64: {
    kernelPackage: 'linux-image-amd64',
    libraryDirectory: 'lib/x86_64-linux-gnu',
    limitBytes: 56 * 2 ** 20,
    modulesAbsent: [],
  },
  arm64: {
    kernelPackage: 'linux-image-arm64',
    libraryDirectory: 'lib/aarch64-linux-gnu',
    // Debian signs the uncompressed kernel (36 MiB), and what is signed is what is sent.
    limitBytes: 84 * 2 ** 20,
    // Cards and buses of PCs; and RAM as a block device, for which Linux has a memmap= on x86 only.
    modulesAbsent: ['dwmac-intel', 'b44', 'forcedeth', 'via-rhine', 'uhci-hcd', 'nd_e820'],
  },
};
