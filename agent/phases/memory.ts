/**
 * Phase memory: decide how the image goes through the kexec, and make room for it. A memory region is tried before
 * it is chosen; after a failed handoff the image that is already here is kept, if there is room for both.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Strategy } from '../../contract/manifest.ts';
import type { SeedChoice } from '../../contract/parameters.ts';
import type { Metainfo, Segment } from '../../torrent/index.ts';
import { BootError } from '../boot-error.ts';
import { mebibytes } from '../console.ts';
import type { Engine } from '../engine.ts';
import { type CarryPlan, carryBehindRoot } from '../handoff/carry.ts';
import { type Layout, type Plan, type PlanResult, planHandoff } from '../handoff/plan.ts';
import { readFirmwareMap, readMemory, readPmemRegions } from '../handoff/probe.ts';
import { findLostSample, writeSamples } from '../handoff/region-check.ts';
import { type Machine, pathOf, writeText } from '../machine.ts';
import type { Release } from './manifest.ts';
import type { Outcome, PhaseContext } from './runner.ts';

/** Our own tmpfs, with a limit that fits: the initramfs may be a tmpfs that ends at half of the RAM. */
export const STORE_FOLDER = '/run/swarmboot';
/** The part of stage-1 that holds the agent (initramfs/stage1.ts). */
export const AGENT_SQUASHFS = '/agent.squashfs';
/** The same for a second try, while the first one's is still needed. */
const OTHER_FOLDER = '/run/swarmboot-again';

export interface MemoryOptions {
  readonly release: Release;
  readonly forced: 'auto' | Strategy;
  readonly excluded: readonly Strategy[];
  /** Whether kernel and initrd shall be kept for others beyond the kexec, where there is room, and the agent with them. */
  readonly seed: SeedChoice;
  readonly engine: Engine;
  /** A verified image of an earlier try on this boot. */
  readonly earlier: Room | undefined;
}

export interface Room {
  readonly plan: Plan;
  /** Full paths for kexec. */
  readonly kernelPath: string;
  readonly initrdPath: string;
  readonly segments: readonly Segment[];
  /** What goes behind the root when the real kernel is loaded. */
  readonly carried: Pick<CarryPlan, 'files' | 'agent'>;
  /** Where the tmpfs is. */
  readonly folder: string;
  /** The same image of an earlier try, to copy from instead of a download. */
  readonly earlier: Room | undefined;
}

export async function memoryPhase(context: PhaseContext, options: MemoryOptions): Promise<Outcome<Room>> {
  const { machine, telemetry } = context;
  let { earlier } = options;
  const excluded = [...options.excluded];
  const surroundings = () => ({
    firmwareMap: readFirmwareMap(machine),
    pmem: readPmemRegions(machine),
    manifest: options.release.manifest,
  });
  const plan = async (): Promise<PlanResult> => {
    for (;;) {
      const result = planHandoff({
        ...readMemory(machine),
        ...surroundings(),
        forced: options.forced,
        excluded,
      });
      const complaint =
        'plan' in result ? await complaintAboutRegion(context, options.engine, result.plan) : undefined;
      if (complaint === undefined) return result;
      context.note(complaint);
      telemetry.send({ event: 'error', code: 'region-damaged', message: complaint });
      excluded.push('pmem');
    }
  };
  // The agent's own tmpfs of an earlier try counts as used until it is gone.
  if (!earlier) await forgetStores(context);
  let result = await plan();
  if ('refusal' in result && earlier) {
    context.note('memory: no room beside the image that is here already, so it is given up');
    earlier = undefined;
    await forgetStores(context);
    result = await plan();
  }
  if ('refusal' in result) {
    const { code, message, hint } = result.refusal;
    throw new BootError(code, message, { hint, retriable: 'no' });
  }
  const agentBytes = options.seed === 'bring' ? sizeOf(pathOf(machine, AGENT_SQUASHFS)) : undefined;
  const { plan: chosen, ...carried } =
    options.seed === 'off'
      ? { plan: result.plan, files: [], agent: undefined }
      : carryBehindRoot(result.plan, { ...surroundings(), agentBytes });
  if (options.seed === 'bring' && !carried.agent)
    context.note(
      `memory: no room for the agent behind the image, handoff ${chosen.strategy}; not brought along`,
    );
  const { layout, strategy, reasons } = chosen;
  for (const reason of reasons) context.note(`memory: ${reason}`);
  const folder = pathOf(machine, STORE_FOLDER) === earlier?.folder ? OTHER_FOLDER : STORE_FOLDER;
  const path = pathOf(machine, folder);
  await mountStore(machine, path, layout, context.signal);
  prepareFiles(path, layout);
  const target = placeIn(machine, path);
  return {
    value: {
      plan: chosen,
      carried,
      kernelPath: target(layout.kernel),
      initrdPath: target(layout.initrd),
      segments: segmentsOf(options.release.metainfo, layout, target),
      folder: path,
      earlier,
    },
    detail: `${strategy}, ${mebibytes(layout.tmpfsBytes)} MiB tmpfs`,
  };
}

const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size;

async function forgetStores({ machine, signal }: PhaseContext): Promise<void> {
  for (const folder of [STORE_FOLDER, OTHER_FOLDER])
    await machine.run('umount', [pathOf(machine, folder)], { signal });
}

/** What is wrong with the plan's memory region, as a sentence; undefined if it keeps what is written to it. */
async function complaintAboutRegion(
  { machine, awaiting }: PhaseContext,
  engine: Engine,
  { strategy, layout }: Plan,
): Promise<string | undefined> {
  if (strategy !== 'pmem' || !layout.reserved) return undefined;
  const device = layout.placements.find(({ target }) => target.startsWith('/'))?.target ?? '';
  const region: Segment = {
    offset: 0,
    length: layout.reserved.lengthBytes,
    path: pathOf(machine, device),
    pathOffset: 0,
  };
  awaiting(`${device} to keep what is written to it`);
  const seed = machine.randomBytes(32);
  try {
    const writable = await engine.openStore([region], 'write');
    await writeSamples(writable, seed).finally(() => writable.close());
    dropCaches(machine);
    const readable = await engine.openStore([region], 'read');
    const lost = await findLostSample(readable, seed).finally(() => readable.close());
    if (lost === undefined) return undefined;
    const address = `0x${(layout.reserved.start + lost).toString(16)}`;
    return `${device} does not keep what is written to it at ${address}: no RAM there, or bad RAM (test it with memtest86+)`;
  } catch (error) {
    return `${device} cannot be used: ${(error as Error).message}`;
  } finally {
    awaiting(undefined);
  }
}

/** Clean page cache, the block devices' included (Documentation/admin-guide/sysctl/vm.rst). */
export const dropCaches = (machine: Machine): void => writeText(machine, '/proc/sys/vm/drop_caches', '1\n');

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
