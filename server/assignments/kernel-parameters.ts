/**
 * Kernel parameters that an administrator adds, for stage-1 and for the real system.
 *
 * They go into boot scripts of iPXE and GRUB: words without what those would take for their own ($, {, |, &, ;, quotes,
 * line breaks). Machines ignore a wrong `swarmboot.*` parameter; here there is somebody to correct it. Pure.
 */
import { parseCmdline, splitCmdline } from '../../contract/parameters.ts';

const PLAIN = /^[A-Za-z0-9=,.:_/ -]{1,200}$/;
/** What the server writes itself; a second one would win over it, or be ignored. */
const OWN = ['initrd', 'BOOTIF', 'swarmboot.manifest'];

/** A sentence about what is wrong with parameters for stage-1, without a period, or undefined. */
export function stage1Complaint(text: string): string | undefined {
  if (!PLAIN.test(text)) return 'It takes kernel parameters like console=ttyS0,115200';
  const own = splitCmdline(text).find((word) => OWN.includes(word.split('=', 1)[0] ?? ''));
  if (own !== undefined) return `"${own}" is what the server writes itself`;
  return parseCmdline(text).complaints[0];
}

/** A sentence about what is wrong with parameters for the kernel of the real system, or undefined. */
export function systemComplaint(text: string): string | undefined {
  if (!PLAIN.test(text)) return 'It takes kernel parameters like nomodeset';
  const ours = splitCmdline(text).find((word) => word.startsWith('swarmboot.'));
  return ours === undefined ? undefined : `"${ours}" is for stage-1, which the real system never sees`;
}
