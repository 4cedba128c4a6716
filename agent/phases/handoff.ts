/** Phase handoff: load the real kernel, say goodbye to swarm and server, and jump. Load and jump are two calls. */
import type { Handover } from '../../contract/handover.ts';
import { type Arch, fileOfRole } from '../../contract/manifest.ts';
import { BAKED_KEY_PATH } from '../../contract/paths.ts';
import { BootError } from '../boot-error.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { mebibytes } from '../console.ts';
import { composeCmdline } from '../handoff/cmdline.ts';
import { kexecRefusal } from '../handoff/kexec-refusal.ts';
import { appendArchive, copyToDevice, insertArchive, stateArchive } from '../handoff/leave-state.ts';
import type { Plan } from '../handoff/plan.ts';
import { readMemory } from '../handoff/probe.ts';
import type { Seal } from '../handoff/seal.ts';
import { type Machine, pathOf, readText } from '../machine.ts';
import { type MemoryPeak, ramBytes } from '../memory-peak.ts';
import { peakRssBytes } from '../peak-rss.ts';
import { releaseName } from '../release.ts';
import type { Release } from './manifest.ts';
import { AGENT_SQUASHFS, type Room } from './memory.ts';
import type { Outcome, PhaseContext, Surroundings } from './runner.ts';
import type { Download } from './swarm.ts';

export interface HandoffOptions {
  readonly release: Release;
  readonly room: Room;
  readonly download: Download;
  readonly append: string;
  readonly seal: Seal | undefined;
  readonly memoryPeak: Pick<MemoryPeak, 'now'>;
  /** What the seeder of the real system is told besides where the files are; undefined: it shall not run. */
  readonly seed: Omit<Handover, 'format' | 'files'> | undefined;
}

const FLUSH_MS = 2000;
/** Closing announces `stopped` to trackers; a dead one must not hold the boot. */
const CLOSE_MS = 3000;
/** The jump itself takes a second or two; purgatory's check of a large initrd happens after it. */
const JUMP_LIMIT_MS = 20_000;
/** A serial line at 115200 baud needs this for a few lines. */
const DRAIN_MS = 200;

/**
 * How kexec loads the kernel. `-s`: kexec_file_load(2), the one call that Secure Boot's lockdown allows, and the one that
 * keeps the new kernel's segments out of pmem regions. Debian's ARM64 kernel is built without it, and so cannot hand
 * over under Secure Boot; there it is `-c`, kexec_load(2). kexec would then have the segments hashed once more between
 * the kernels (`-i` leaves that out), which for an image takes long with the caches off, and phase verify has just
 * done it.
 */
const KEXEC_LOAD: Readonly<Record<Arch, readonly string[]>> = {
  amd64: ['-s', '-l'],
  arm64: ['-c', '-i', '-l'],
};

/** Throws `BootError` with code `kexec-refused`, or `kernel-untrusted`, which no other strategy can help. */
export async function handoffPhase(context: PhaseContext, options: HandoffOptions): Promise<Outcome<void>> {
  const { machine, telemetry, signal } = context;
  const { room, release, download } = options;
  const { strategy } = room.plan;
  const { append, seal } = options;
  const cmdline = composeCmdline(release.manifest.cmdline, { plan: room.plan, append, seal });
  context.note(`kernel command line: ${cmdline}`);
  if (options.seed) {
    context.awaiting('what the real system seeds to be put in place');
    await leaveForSeeder(context, options, options.seed);
  }
  // The swarm still seeds; since verify its store is open for reading only, or kexec would answer ETXTBSY.
  const stats = download.swarm.stats();
  const short = lessThanPlanned(machine, room.plan);
  if (short) await closeEarly(context, download);
  context.awaiting('kexec to load the kernel');
  const load = KEXEC_LOAD[release.manifest.arch];
  const args = [...load, room.kernelPath, `--initrd=${room.initrdPath}`, `--command-line=${cmdline}`];
  const loaded =
    (short ? machine.loadKernel?.(room.kernelPath, room.initrdPath, cmdline) : undefined) ??
    (await machine.run('kexec', args, { signal }));
  signal.throwIfAborted();
  if (loaded.status !== 0) {
    const said = loaded.output || `status ${loaded.status}`;
    throw kexecRefusal(said, releaseName(release.manifest), strategy, release.manifest.arch);
  }
  context.awaiting('the swarm and the server to be told');
  const { downloaded, uploaded, hashFailures } = short ? stats : download.swarm.stats();
  const memoryPeakBytes = peakOf(machine, options, short);
  if (memoryPeakBytes !== undefined) {
    const { neededBytes, availableBytes } = room.plan;
    const usedBytes = memoryPeakBytes - (ramBytes(machine) - availableBytes);
    context.note(
      `memory: ${mebibytes(usedBytes)} MiB used at most, planned with ${mebibytes(neededBytes)} MiB`,
    );
  }
  telemetry.send({
    event: 'handoff',
    strategy,
    release: releaseName(release.manifest),
    peakRssBytes: peakRssBytes(),
    ...(memoryPeakBytes === undefined ? {} : { memoryPeakBytes }),
    downloaded,
    uploaded,
    hashFailures,
  });
  await closeSwarm(context, download);
  context.awaiting(undefined);
  return { value: undefined, detail: `${strategy}, starting ${release.manifest.kernelRelease}` };
}

/** While the agent loads a kernel by itself it cannot look; the kernel's buffers of the two files are gone afterwards. */
function peakOf(machine: Machine, { memoryPeak, room }: HandoffOptions, unseen: boolean): number | undefined {
  const seenBytes = memoryPeak.now();
  if (seenBytes === undefined || !unseen) return seenBytes;
  const bufferBytes = room.plan.layout.files.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  return Math.max(seenBytes, ramBytes(machine) - readMemory(machine).availableBytes + bufferBytes);
}

/** Bounded; a swarm that is closed already stays so. */
async function closeSwarm(context: PhaseContext, download: Download): Promise<void> {
  const closed = download
    .close()
    .catch((error: Error) => context.note(`swarm did not close: ${error.message}`));
  await Promise.race([closed, context.machine.sleep(CLOSE_MS, context.signal)]);
}

/** Kernel and initrd are there, and of the rest there is less than was planned for all of it. */
const lessThanPlanned = (machine: Machine, { neededBytes }: Plan): boolean =>
  readMemory(machine).availableBytes < neededBytes;

/**
 * A machine that needs its last megabytes for kexec gives nothing meanwhile, a second or two: what the swarm holds, and the
 * pages of the program that gives, are a third of what the agent is.
 */
async function closeEarly(context: PhaseContext, download: Download): Promise<void> {
  context.note('memory: little is left, so this machine gives nothing while kexec loads');
  await closeSwarm(context, download);
  collectGarbage();
}

/** Where the boot script of the real system attaches a root that is a file: swarmboot/boot-script.sh. */
const LOOP_DEVICE = '/dev/loop0';
const PMEM_DEVICE = '/dev/pmem0';

/**
 * Kernel and initrd go behind the root, and what describes them behind the initrd. Seeding is a favour: whatever fails
 * here is told, and the boot goes on.
 */
async function leaveForSeeder(
  context: PhaseContext,
  { room, release }: HandoffOptions,
  seed: Omit<Handover, 'format' | 'files'>,
): Promise<void> {
  const { machine, signal } = context;
  const { manifest, metainfo, signed } = release;
  const { carried, segments } = room;
  const root = fileOfRole(manifest, 'root').path;
  try {
    for (const { file, target } of carried.files) {
      const index = metainfo.files.findIndex(({ path, pad }) => path === file && !pad);
      const segment = segments[index];
      if (!segment?.path || segment.pathOffset !== 0) continue;
      const from = { path: segment.path, length: segment.length };
      await copyToDevice(from, { ...target, device: pathOf(machine, target.device) }, signal);
    }
    if (carried.agent) {
      const { lengthBytes, target } = carried.agent;
      const from = { path: pathOf(machine, AGENT_SQUASHFS), length: lengthBytes };
      await copyToDevice(from, { ...target, device: pathOf(machine, target.device) }, signal);
    }
    const source = room.plan.layout.reserved ? PMEM_DEVICE : LOOP_DEVICE;
    const handover: Handover = {
      format: 1,
      ...seed,
      files: [
        { path: root, source, offset: 0 },
        ...carried.files.map(({ file, offset }) => ({ path: file, source, offset })),
      ],
    };
    const key = `${readText(machine, BAKED_KEY_PATH) ?? ''}\n`;
    const archive = stateArchive(handover, signed, key, carried.agent?.offset);
    const place = room.plan.layout.room;
    await (place ? insertArchive(room.initrdPath, archive, place) : appendArchive(room.initrdPath, archive));
  } catch (error) {
    signal.throwIfAborted();
    context.note(`the real system will not seed: ${(error as Error).message}`);
  }
}

/** Never returns: the real kernel takes over, or it throws `BootError` with code `kexec-failed`. */
export async function jump({ machine, telemetry }: Surroundings): Promise<never> {
  await telemetry.flush(FLUSH_MS);
  await machine.sleep(DRAIN_MS);
  const result = await Promise.race([
    machine.run('kexec', ['-e']).then(async (ended) => {
      // A kexec that returns at all has either failed or is a moment ahead of the kernel's shutdown.
      if (ended.status === 0) await machine.sleep(JUMP_LIMIT_MS);
      return ended;
    }),
    machine.sleep(JUMP_LIMIT_MS).then(() => undefined),
  ]);
  throw new BootError(
    'kexec-failed',
    result && result.status !== 0
      ? `kexec -e failed: ${result.output || `status ${result.status}`}`
      : `The kernel did not jump within ${JUMP_LIMIT_MS / 1000} s of kexec -e`,
    { retriable: 'no' },
  );
}
