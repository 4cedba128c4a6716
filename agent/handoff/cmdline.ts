/** The kernel command line of the real system. Pure. */

import type { Strategy } from '../../contract/manifest.ts';
import { BootError } from '../boot-error.ts';
import type { Layout, Plan } from './plan.ts';
import type { Seal } from './seal.ts';

/** COMMAND_LINE_SIZE of x86 is 2048 with the final NUL; the kernel cuts what is beyond without a word. */
export const CMDLINE_LIMIT = 2047;

const MIB = 1024 ** 2;

/** What makes the real kernel leave the root where the boot script finds it. */
const MEANS: Readonly<Record<Strategy, (layout: Layout) => string>> = {
  // A memmap= that KASLR cannot place the kernel into takes `!` and a size; both numbers are whole MiB by the plan.
  pmem: ({ reserved }) =>
    reserved ? `memmap=${reserved.lengthBytes / MIB}M!0x${reserved.start.toString(16)}` : '',
  retain: () => 'retain_initrd',
  cpio: () => '',
};

export interface CmdlineOptions {
  readonly plan: Plan;
  /** Added at the end. */
  readonly append: string;
  /** What the boot script hands to dm-verity; undefined: the root is not checked while it runs. */
  readonly seal: Seal | undefined;
}

/** Throws `BootError` with code `cmdline-too-long`. */
export function composeCmdline(imageCmdline: string, { plan, append, seal }: CmdlineOptions): string {
  // `root=`, whatever it names, makes the initramfs a ramfs: a tmpfs would end at half of the RAM. dracut gives up on
  // a value that it does not know; `tmpfs` it knows, and leaves to systemd, where sysroot.mount of the boot archive is.
  const handoff = [
    `swarmboot.root=${plan.layout.root}`,
    seal ? `swarmboot.verity=${seal.rootHash}:${seal.dataBlocks}` : '',
    MEANS[plan.strategy](plan.layout),
    'root=tmpfs',
  ];
  const cmdline = [imageCmdline, 'boot=swarmboot', ...handoff, append]
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ');
  if (cmdline.length > CMDLINE_LIMIT) {
    throw new BootError(
      'cmdline-too-long',
      `Kernel command line of the image has ${cmdline.length} characters, the kernel takes ${CMDLINE_LIMIT}`,
      { hint: 'Shorten swarmboot.append= or the cmdline of the image', retriable: 'no' },
    );
  }
  return cmdline;
}
