/** Ranges of physical memory, as the firmware told the kernel. Pure. */

export interface MemoryRange {
  /** First byte. */
  readonly start: number;
  /** Last byte, inclusive, as /sys/firmware/memmap has it. */
  readonly end: number;
  /** The kernel's words: `System RAM`, `Reserved`, `ACPI Tables`, ... */
  readonly type: string;
}

export const SYSTEM_RAM = 'System RAM';

/** System RAM only, sorted, ranges that touch or overlap joined. */
export function systemRam(map: readonly MemoryRange[]): MemoryRange[] {
  const joined: MemoryRange[] = [];
  const ram = map.filter((range) => range.type === SYSTEM_RAM).sort((a, b) => a.start - b.start);
  for (const range of ram) {
    const last = joined.at(-1);
    if (last && range.start <= last.end + 1) {
      joined[joined.length - 1] = { ...last, end: Math.max(last.end, range.end) };
    } else {
      joined.push(range);
    }
  }
  return joined;
}

/** Bytes of System RAM in the map. */
export const systemRamBytes = (map: readonly MemoryRange[]): number =>
  systemRam(map).reduce((sum, range) => sum + range.end - range.start + 1, 0);

/** Whether every byte from `start` on for `lengthBytes` is System RAM. */
export const isSystemRam = (map: readonly MemoryRange[], start: number, lengthBytes: number): boolean =>
  systemRam(map).some((range) => range.start <= start && start + lengthBytes - 1 <= range.end);
