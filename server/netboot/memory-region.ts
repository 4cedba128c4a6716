/**
 * Which part of a machine's RAM stage-1 turns into persistent memory for the root image.
 *
 * A machine that was never seen gets a line that fits any: nothing but RAM is converted, and what does not exist is left
 * out. What stage-1 tells of its memory map makes the next line exact. That telling is not authenticated; a lie costs
 * the machine its region, and the handoff then goes another way.
 */

const MIB = 1024 * 1024;
/** The first megabytes stay RAM for stage-1; see docs/handoff.md. */
const STAGE1_MIB = 312;
/** The least that stage-1 can do with, on a machine whose map is known. */
const LEAST_STAGE1_MIB = 256;
/** Regions are aligned to 2 MiB at both ends; a little more costs nothing. */
const SLACK_MIB = 4;
/**
 * PCs map devices below 4 GiB, from 2 or 3 GiB on: a region that begins low is cut there. An image that may not fit
 * in front of the hole gets a second region, above 4 GiB, to choose.
 */
const LARGE_MIB = 1280;
const FOUR_GIB_MIB = 4096;

/** Size of the region for a root image of so many bytes, in MiB, even. */
export const regionMebibytes = (rootBytes: number): number =>
  Math.ceil((Math.ceil(rootBytes / MIB) + SLACK_MIB) / 2) * 2;

/** First and last byte of a range of System RAM, as telemetry has it. */
export type RamRange = readonly [start: number, end: number];

const ALIGNMENT = 2 * MIB;

/** Where the region goes on a machine with this RAM: at the end of the highest range that can hold it. */
export function regionStart(rootBytes: number, ram: readonly RamRange[]): number | undefined {
  const bytes = regionMebibytes(rootBytes) * MIB;
  const starts = ram.flatMap(([first, last]) => {
    const start = Math.floor((last + 1 - bytes) / ALIGNMENT) * ALIGNMENT;
    return start >= Math.max(first, LEAST_STAGE1_MIB * MIB) ? [start] : [];
  });
  return starts.length > 0 ? Math.max(...starts) : undefined;
}

/**
 * Kernel parameters for stage-1 on an x86 machine; `ram` is what it told at an earlier boot. `memmap=SIZE%START-1+12`
 * turns what RAM (type 1) there is in the range into persistent memory (type 12). KASLR does not look at this form and
 * may put the kernel inside the range, hence `nokaslr`. Seen with Linux 6.12 on machines of 1 to 8 GB.
 */
export function regionParameters(rootBytes: number, ram: readonly RamRange[] = []): string[] {
  const size = regionMebibytes(rootBytes);
  const start = regionStart(rootBytes, ram);
  if (start !== undefined) return ['nokaslr', `memmap=${size}M%${start / MIB}M-1+12`];
  const low = `memmap=${size}M%${STAGE1_MIB}M-1+12`;
  const high = `memmap=${size}M%4G-1+12`;
  if (size <= LARGE_MIB) return ['nokaslr', low];
  // What the first takes from above 4 GiB, the second would lack: the kernel never joins such ranges (e820_nomerge()).
  return ['nokaslr', ...(STAGE1_MIB + size <= FOUR_GIB_MIB ? [low] : []), high];
}
