/**
 * Kernel and initrd ride behind the root image in the same region of RAM, so that the real system can give them to
 * the next machine too: the kernel that runs keeps no copy of either. Pure.
 *
 *   [root.squashfs][zeros to 4 KiB][vmlinuz][zeros to 4 KiB][initrd.img]
 *
 * It costs their length in RAM (50 MB for a Debian). A machine for which that is too much gives its root image only.
 */
import { fileOfRole, type Manifest } from '../../contract/manifest.ts';
import { isSystemRam, type MemoryRange, systemRamBytes } from './memory-map.ts';
import type { Plan, PmemRegion } from './plan.ts';

/** A file of the image as it lies in the region, offsets in bytes from the region's start. */
export interface CarriedFile {
  /** In the torrent. */
  readonly file: string;
  readonly offset: number;
}

export interface CarryPlan {
  /** With what the real kernel must keep made longer, if anything is carried. */
  readonly plan: Plan;
  readonly device: string | undefined;
  readonly files: readonly CarriedFile[];
}

const PAGE_BYTES = 4096;
const SECTION_BYTES = 2 * 1024 ** 2;
/** They may take this part of the machine's RAM: 64 MiB of a machine with 1 GiB. */
const MOST_OF_RAM = 1 / 16;

const roundUp = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;

/** Adds kernel and initrd to a plan that hands over by pmem, where region and machine are large enough. */
export function carryBehindRoot(
  plan: Plan,
  machine: {
    readonly manifest: Manifest;
    readonly pmem: readonly PmemRegion[];
    readonly firmwareMap: readonly MemoryRange[];
  },
): CarryPlan {
  const nothing: CarryPlan = { plan, device: undefined, files: [] };
  const { manifest, pmem, firmwareMap } = machine;
  const { reserved, placements } = plan.layout;
  const root = fileOfRole(manifest, 'root');
  const kernel = fileOfRole(manifest, 'kernel');
  const initrd = fileOfRole(manifest, 'initrd');
  const region = pmem.find(({ device }) =>
    placements.some(({ file, target }) => file === root.path && target === device),
  );
  if (!reserved || !region) return nothing;
  if (kernel.length + initrd.length > systemRamBytes(firmwareMap) * MOST_OF_RAM) return nothing;
  const kernelAt = roundUp(Math.max(root.length, reserved.lengthBytes), PAGE_BYTES);
  const initrdAt = kernelAt + roundUp(kernel.length, PAGE_BYTES);
  const lengthBytes = roundUp(initrdAt + initrd.length, SECTION_BYTES);
  if (initrdAt + initrd.length > region.lengthBytes) return nothing;
  if (!isSystemRam(firmwareMap, reserved.start, lengthBytes)) return nothing;
  return {
    plan: { ...plan, layout: { ...plan.layout, reserved: { ...reserved, lengthBytes } } },
    device: region.device,
    files: [
      { file: kernel.path, offset: kernelAt },
      { file: initrd.path, offset: initrdAt },
    ],
  };
}
