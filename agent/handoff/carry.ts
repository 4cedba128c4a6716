/**
 * Kernel and initrd ride behind the root image in the same region of RAM, so that the real system can give them to
 * the next machine too: the kernel that runs keeps no copy of either. So does the agent, as the squashfs that stage-1 has
 * it in, where the image has none and `swarmboot.seed=bring` asks for it. Pure.
 *
 *   [root.squashfs][agent.squashfs][vmlinuz][initrd.img], each from a multiple of 4 KiB on
 *
 * It costs their length in RAM (50 MB for a Debian's kernel and initrd, 37 MiB for the agent). A machine for which kernel
 * and initrd are too much gives its root image only.
 */
import { fileOfRole, type Manifest } from '../../contract/manifest.ts';
import { isSystemRam, type MemoryRange, systemRamBytes } from './memory-map.ts';
import type { Plan, PmemRegion } from './plan.ts';

/** Where something lies behind the root. */
export interface CarriedPlace {
  /** In bytes from the root's start: where the real system, which has one region, finds it. */
  readonly offset: number;
  /** Where stage-1 writes it: in the root's region, or in one that begins where that ends. */
  readonly target: { readonly device: string; readonly offset: number };
}

export interface CarriedFile extends CarriedPlace {
  /** In the torrent. */
  readonly file: string;
}

export interface CarryPlan {
  /** With what the real kernel must keep made longer, if anything is carried. */
  readonly plan: Plan;
  readonly files: readonly CarriedFile[];
  /** Where the agent goes, as a squashfs. */
  readonly agent: (CarriedPlace & { readonly lengthBytes: number }) | undefined;
}

const PAGE_BYTES = 4096;
const SECTION_BYTES = 2 * 1024 ** 2;
/** They may take this part of the machine's RAM: 64 MiB of a machine with 1 GiB. */
const MOST_OF_RAM = 1 / 16;

const roundUp = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;

export interface CarryingMachine {
  readonly manifest: Manifest;
  readonly pmem: readonly PmemRegion[];
  readonly firmwareMap: readonly MemoryRange[];
  /** Length of the agent's squashfs, if that shall come along. */
  readonly agentBytes: number | undefined;
}

/** The region, and those that follow it without a gap. */
function row(region: PmemRegion, pmem: readonly PmemRegion[]): PmemRegion[] {
  const regions = [region];
  for (;;) {
    const { start, lengthBytes } = regions.at(-1) ?? region;
    const next = pmem.find((candidate) => candidate.start === start + lengthBytes);
    if (!next) return regions;
    regions.push(next);
  }
}

/** Adds kernel and initrd, and the agent, to a plan that hands over by pmem, where regions and machine are large enough. */
export function carryBehindRoot(plan: Plan, machine: CarryingMachine): CarryPlan {
  const nothing: CarryPlan = { plan, files: [], agent: undefined };
  const { manifest, pmem, firmwareMap, agentBytes } = machine;
  const { reserved, placements } = plan.layout;
  const root = fileOfRole(manifest, 'root');
  const region = pmem.find(({ device }) =>
    placements.some(({ file, target }) => file === root.path && target === device),
  );
  if (!reserved || !region) return nothing;
  let end = Math.max(root.length, reserved.lengthBytes);
  const regions = row(region, pmem);
  /** Place of what is put behind the rest, in one region, or undefined if it fits into none. */
  const append = (lengthBytes: number): CarriedPlace | undefined => {
    for (const { device, start, lengthBytes: regionBytes } of regions) {
      const regionOffset = start - reserved.start;
      const offset = roundUp(Math.max(end, regionOffset), PAGE_BYTES);
      if (offset + lengthBytes > regionOffset + regionBytes) continue;
      if (!isSystemRam(firmwareMap, reserved.start, roundUp(offset + lengthBytes, SECTION_BYTES)))
        return undefined;
      end = offset + lengthBytes;
      return { offset, target: { device, offset: offset - regionOffset } };
    }
    return undefined;
  };
  // Asked for by an administrator, hence first; the others are a favour to machines to come.
  const agentAt = agentBytes === undefined ? undefined : append(agentBytes);
  const others = [fileOfRole(manifest, 'kernel'), fileOfRole(manifest, 'initrd')];
  const files: CarriedFile[] = [];
  if (others.reduce((sum, { length }) => sum + length, 0) <= systemRamBytes(firmwareMap) * MOST_OF_RAM) {
    const before = end;
    for (const { path, length } of others) {
      const place = append(length);
      if (place) files.push({ file: path, ...place });
    }
    // One without the other boots nobody.
    if (files.length < others.length) {
      files.length = 0;
      end = before;
    }
  }
  if (files.length === 0 && agentAt === undefined) return nothing;
  return {
    plan: {
      ...plan,
      layout: { ...plan.layout, reserved: { ...reserved, lengthBytes: roundUp(end, SECTION_BYTES) } },
    },
    files,
    agent:
      agentAt === undefined || agentBytes === undefined ? undefined : { ...agentAt, lengthBytes: agentBytes },
  };
}
