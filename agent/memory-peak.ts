/**
 * The most RAM that the whole machine has needed so far: its RAM less the least that was ever available (MemAvailable,
 * proc_meminfo(5)). What the kernel keeps and what is set aside for the root counts as needed. Short peaks between two looks
 * are missed.
 */
import { systemRamBytes } from './handoff/memory-map.ts';
import { readFirmwareMap, readMemory } from './handoff/probe.ts';
import type { Machine } from './machine.ts';

const LOOK_MS = 200;

export interface MemoryPeak {
  /** In bytes; undefined: the machine does not tell. */
  now(): number | undefined;
  stop(): void;
}

/** All RAM that the firmware has told of, in bytes; without such a map, what the kernel has. */
export const ramBytes = (machine: Machine): number =>
  systemRamBytes(readFirmwareMap(machine)) || readMemory(machine).totalBytes;

export function watchMemory(machine: Machine): MemoryPeak {
  let leastBytes = Number.POSITIVE_INFINITY;
  const look = (): void => {
    try {
      leastBytes = Math.min(leastBytes, readMemory(machine).availableBytes);
    } catch {
      // No /proc.
    }
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return {
    now() {
      look();
      return Number.isFinite(leastBytes) ? Math.max(0, ramBytes(machine) - leastBytes) : undefined;
    },
    stop: () => clearInterval(timer),
  };
}
