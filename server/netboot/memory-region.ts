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
/**
 * PCs map devices below 4 GiB, from 2 or 3 GiB on: a region that begins low is cut there. An image that may not fit
 * in front of the hole gets a second region, above 4 GiB, to choose.
 */
const LARGE_MIB = 1280;
const FOUR_GIB_MIB = 4096;

/** What is put into the region, in bytes. */
export interface RegionContents {
  readonly root: number;
  /** What the real system gives to others besides: kernel, initrd, the agent. A machine with little RAM goes without. */
  readonly behind: number;
}

/** Each file behind the root begins on a page. */
const PADDING_BYTES = 64 * 1024;
/** Regions begin and end on this: Linux refuses others ("misaligned, unable to map"). */
const ALIGNMENT = 2 * MIB;
const alignedMebibytes = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * (ALIGNMENT / MIB);

/** Size in MiB, even: of the root's part, and of what comes behind it. */
export const regionMebibytes = ({ root, behind }: RegionContents): { root: number; behind: number } => ({
  root: alignedMebibytes(root),
  behind: behind === 0 ? 0 : alignedMebibytes(behind + PADDING_BYTES),
});

/** First and last byte of a range of System RAM, as telemetry has it. */
export type RamRange = readonly [start: number, end: number];

/** Where a region of so many MiB goes on a machine with this RAM: at the end of the highest range that can hold it. */
function highestStart(
  mebibytes: number,
  leastMebibytes: number,
  ram: readonly RamRange[],
): number | undefined {
  const starts = ram.flatMap(([first, last]) => {
    const start = Math.floor((last + 1 - mebibytes * MIB) / ALIGNMENT) * ALIGNMENT;
    return start >= Math.max(first, leastMebibytes * MIB) ? [start] : [];
  });
  return starts.length > 0 ? Math.max(...starts) : undefined;
}

/** The region, in bytes, on a machine with this RAM: whole, or where stage-1 would lack it, only what holds the root. */
export function regionOn(
  contents: RegionContents,
  ram: readonly RamRange[],
): { readonly start: number; readonly length: number } | undefined {
  const { root, behind } = regionMebibytes(contents);
  const whole = highestStart(root + behind, STAGE1_MIB, ram);
  if (whole !== undefined) return { start: whole, length: (root + behind) * MIB };
  const start = highestStart(root, LEAST_STAGE1_MIB, ram);
  return start === undefined ? undefined : { start, length: root * MIB };
}

/**
 * Kernel parameters for stage-1 on an x86 machine; `ram` is what it told at an earlier boot. `memmap=SIZE%START-1+12`
 * turns what RAM (type 1) there is in the range into persistent memory (type 12). KASLR does not look at this form and
 * may put the kernel inside the range, hence `nokaslr`. Seen with Linux 6.12 on machines of 1 to 8 GB.
 */
export function regionParameters(contents: RegionContents, ram: readonly RamRange[] = []): string[] {
  const known = regionOn(contents, ram);
  if (known) return ['nokaslr', range(known.length / MIB, known.start / MIB)];
  const { root, behind } = regionMebibytes(contents);
  // Two entries, which the kernel never joins (e820_nomerge()): where the RAM ends in the second, the first is whole.
  const from = (start: number): string[] => [
    range(root, start),
    ...(behind > 0 ? [range(behind, start + root)] : []),
  ];
  if (root + behind <= LARGE_MIB) return ['nokaslr', ...from(STAGE1_MIB)];
  // What the first takes from above 4 GiB, the second would lack.
  const low = STAGE1_MIB + root + behind <= FOUR_GIB_MIB ? from(STAGE1_MIB) : [];
  return ['nokaslr', ...low, ...from(FOUR_GIB_MIB)];
}

const range = (mebibytes: number, start: number): string => `memmap=${mebibytes}M%${start}M-1+12`;
