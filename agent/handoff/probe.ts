/** Reads from /proc and /sys what the handoff plan is made of. */
import { BootError } from '../boot-error.ts';
import { listFolder, type Machine, readText, resolveLink } from '../machine.ts';
import type { MemoryRange } from './memory-map.ts';
import type { PmemRegion } from './plan.ts';

export interface Memory {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/** MemTotal and MemAvailable of proc_meminfo(5). Throws `BootError` with code `meminfo`. */
export function parseMeminfo(text: string): Memory {
  const field = (name: string): number => {
    const match = new RegExp(`^${name}:\\s+(\\d{1,12}) kB$`, 'm').exec(text);
    if (!match) {
      throw new BootError('meminfo', `/proc/meminfo does not tell ${name}`, { retriable: 'no' });
    }
    return Number(match[1]) * 1024;
  };
  return { totalBytes: field('MemTotal'), availableBytes: field('MemAvailable') };
}

export const readMemory = (machine: Machine): Memory =>
  parseMeminfo(readText(machine, '/proc/meminfo') ?? '');

/**
 * The firmware's memory map, which memmap= does not change (unlike /proc/iomem).
 * Source: Documentation/ABI/testing/sysfs-firmware-memmap.
 */
export function readFirmwareMap(machine: Machine): MemoryRange[] {
  const folder = '/sys/firmware/memmap';
  return listFolder(machine, folder)
    .map((entry) => ({
      start: Number(readText(machine, `${folder}/${entry}/start`)),
      end: Number(readText(machine, `${folder}/${entry}/end`)),
      type: readText(machine, `${folder}/${entry}/type`) ?? '',
    }))
    .filter(({ start, end }) => Number.isSafeInteger(start) && Number.isSafeInteger(end) && end >= start)
    .sort((a, b) => a.start - b.start);
}

const SECTOR_BYTES = 512;

/** Every /dev/pmemN with the physical address of its region; a device whose address is not to be found is left out. */
export function readPmemRegions(machine: Machine): PmemRegion[] {
  const regions: PmemRegion[] = [];
  for (const name of listFolder(machine, '/sys/block')) {
    if (!/^pmem\d+$/.test(name)) continue;
    const path = resolveLink(machine, `/sys/block/${name}`) ?? '';
    const region = /\/(region\d+)\//.exec(path)?.[1];
    // Byte 0 of a device that carries a page map, BTT or DAX label is not byte 0 of its region.
    if (region === undefined || /\/(?:pfn|btt|dax)\d/.test(path)) continue;
    const start = Number(readText(machine, `/sys/bus/nd/devices/${region}/resource`) ?? 'none');
    const regionBytes = Number(readText(machine, `/sys/bus/nd/devices/${region}/size`) ?? 'none');
    const deviceBytes = Number(readText(machine, `/sys/block/${name}/size`) ?? 'none') * SECTOR_BYTES;
    const lengthBytes = Math.min(regionBytes, deviceBytes);
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(lengthBytes) || lengthBytes <= 0) continue;
    regions.push({ device: `/dev/${name}`, start, lengthBytes });
  }
  return regions;
}
