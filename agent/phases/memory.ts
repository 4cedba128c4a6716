/** Phase memory: decide how the image goes through the kexec, and make room for it. */
import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Strategy } from '../../contract/manifest.ts';
import type { Metainfo, Segment } from '../../torrent/index.ts';
import { BootError } from '../boot-error.ts';
import { mebibytes } from '../console.ts';
import { type CarryPlan, carryBehindRoot } from '../handoff/carry.ts';
import { type Layout, type Plan, planHandoff } from '../handoff/plan.ts';
import { readFirmwareMap, readMemory, readPmemRegions } from '../handoff/probe.ts';
import { type Machine, pathOf } from '../machine.ts';
import type { Release } from './manifest.ts';
import type { Outcome, PhaseContext } from './runner.ts';

/** Our own tmpfs, with a limit that fits: the initramfs may be a tmpfs that ends at half of the RAM. */
export const STORE_FOLDER = '/run/swarmboot';

export interface MemoryOptions {
  readonly release: Release;
  readonly forced: 'auto' | Strategy;
  readonly excluded: readonly Strategy[];
  /** Whether kernel and initrd shall be kept for others beyond the kexec, where there is room. */
  readonly carry: boolean;
}

export interface Room {
  readonly plan: Plan;
  /** Full paths for kexec. */
  readonly kernelPath: string;
  readonly initrdPath: string;
  readonly segments: readonly Segment[];
  /** What goes behind the root when the real kernel is loaded; `device` undefined: nothing. */
  readonly carried: Pick<CarryPlan, 'device' | 'files'>;
}

export async function memoryPhase(context: PhaseContext, options: MemoryOptions): Promise<Outcome<Room>> {
  const { machine } = context;
  // The agent's own tmpfs of an earlier try still counts as used until it is gone.
  await machine.run('umount', [pathOf(machine, STORE_FOLDER)], { signal: context.signal });
  const around = {
    firmwareMap: readFirmwareMap(machine),
    pmem: readPmemRegions(machine),
    manifest: options.release.manifest,
  };
  const result = planHandoff({
    ...readMemory(machine),
    ...around,
    forced: options.forced,
    excluded: options.excluded,
  });
  if ('refusal' in result) {
    const { code, message, hint } = result.refusal;
    throw new BootError(code, message, { hint, retriable: 'no' });
  }
  const { plan, ...carried } = options.carry
    ? carryBehindRoot(result.plan, around)
    : { plan: result.plan, device: undefined, files: [] };
  for (const reason of plan.reasons) context.note(`memory: ${reason}`);
  const folder = pathOf(machine, STORE_FOLDER);
  await mountStore(machine, folder, plan.layout, context.signal);
  prepareFiles(folder, plan.layout);
  const target = placeIn(machine, folder);
  return {
    value: {
      plan,
      carried,
      kernelPath: target(plan.layout.kernel),
      initrdPath: target(plan.layout.initrd),
      segments: segmentsOf(options.release.metainfo, plan.layout, target),
    },
    detail: `${plan.strategy}, ${mebibytes(plan.layout.tmpfsBytes)} MiB tmpfs`,
  };
}

const placeIn =
  (machine: Machine, folder: string) =>
  (target: string): string =>
    target.startsWith('/') ? pathOf(machine, target) : join(folder, target);

async function mountStore(
  machine: Machine,
  folder: string,
  layout: Layout,
  signal: AbortSignal,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const options = `size=${layout.tmpfsBytes},mode=0755`;
  const result = await machine.run('mount', ['-t', 'tmpfs', '-o', options, 'swarmboot', folder], { signal });
  if (result.status !== 0) {
    throw new BootError('mount-failed', `Cannot mount a tmpfs at ${folder}: ${result.output}`, {
      retriable: 'no',
    });
  }
}

/** Makes the tmpfs files at their full length, with what surrounds the image's bytes. */
function prepareFiles(folder: string, layout: Layout): void {
  for (const { name, lengthBytes, literals } of layout.files) {
    const fd = openSync(join(folder, name), 'w', 0o600);
    try {
      ftruncateSync(fd, lengthBytes);
      for (const { offset, bytes } of literals) writeSync(fd, bytes, 0, bytes.length, offset);
    } finally {
      closeSync(fd);
    }
  }
}

/** The torrent's byte space laid over the plan's files and devices. */
export function segmentsOf(metainfo: Metainfo, layout: Layout, target: (name: string) => string): Segment[] {
  return metainfo.files.map((file) => {
    const { offset, length } = file;
    if (file.pad) return { offset, length, path: undefined, pathOffset: 0 };
    const placement = layout.placements.find((candidate) => candidate.file === file.path);
    if (!placement) {
      throw new BootError('no-place', `The handoff plan has no place for "${file.path}"`, {
        retriable: 'no',
      });
    }
    return { offset, length, path: target(placement.target), pathOffset: placement.offset };
  });
}
