/** The kernel command line of the real system. Pure. */
import { BootError } from '../boot-error.ts';
import { CPIO_ROOT_PATH } from './cpio-layout.ts';
import type { Plan } from './plan.ts';

/** COMMAND_LINE_SIZE of x86 is 2048 with the final NUL; the kernel cuts what is beyond without a word. */
export const CMDLINE_LIMIT = 2047;

const MIB = 1024 ** 2;

/** Throws `BootError` with code `cmdline-too-long`. */
export function composeCmdline(imageCmdline: string, plan: Plan, append: string): string {
  const { reserved } = plan.layout;
  // The real kernel has one region only, so it is always pmem0 there. A memmap= that KASLR cannot place the kernel
  // into takes `!` and a size; both numbers are whole MiB by the plan.
  // `root=` in the cpio case, whatever it names, makes the initramfs a ramfs: a tmpfs would end at half of the RAM.
  const handoff = reserved
    ? `swarmboot.root=pmem:/dev/pmem0 memmap=${reserved.lengthBytes / MIB}M!0x${reserved.start.toString(16)}`
    : `swarmboot.root=file:/${CPIO_ROOT_PATH} root=swarmboot`;
  const cmdline = [imageCmdline, 'boot=swarmboot', handoff, append]
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
