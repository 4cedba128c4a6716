/** How much of a machine's RAM stage-1 turns into persistent memory for the root image. */

const MIB = 1024 * 1024;
/** The first megabytes stay RAM for stage-1; see docs/boot-sequence.md. */
const STAGE1_MIB = 640;
/** Regions are aligned to 2 MiB at both ends; a little more costs nothing. */
const SLACK_MIB = 4;
/**
 * PCs map devices below 4 GiB, from 2 or 3 GiB on: a region from 640 MB on is cut there. An image that may not fit
 * in front of the hole gets a second region, above 4 GiB, to choose.
 */
const LARGE_MIB = 1280;

/** Size of the region for a root image of so many bytes, in MiB, even. */
export const regionMebibytes = (rootBytes: number): number =>
  Math.ceil((Math.ceil(rootBytes / MIB) + SLACK_MIB) / 2) * 2;

/**
 * Kernel parameters for stage-1 on an x86 machine. `memmap=SIZE%START-1+12` turns what RAM (type 1) there is in the
 * range into persistent memory (type 12). KASLR does not look at this form and may put the kernel inside the range,
 * hence `nokaslr`. Seen with Linux 6.12 on machines of 1 to 8 GB.
 */
export function regionParameters(rootBytes: number): string[] {
  const size = regionMebibytes(rootBytes);
  const regions = [`memmap=${size}M%${STAGE1_MIB}M-1+12`];
  if (size > LARGE_MIB) regions.push(`memmap=${size}M%4G-1+12`);
  return ['nokaslr', ...regions];
}
