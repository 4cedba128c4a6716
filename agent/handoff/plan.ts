/**
 * Which way the image goes through the kexec on this machine, decided from numbers alone. Pure: `swarmboot-agent
 * plan` prints its answer without the machine.
 *
 *   pmem  the root lies in RAM that stage-1's memmap= took from the kernel (/dev/pmemN), and the real kernel gets a
 *         memmap= for the same addresses. RAM: the image once, and three times the initrd.
 *   retain  the root lies behind the kexec initrd, and the real kernel keeps that where it is (Linux 6.8). While
 *         `kexec -s` loads it, the file, the kernel's read buffer and the segments are there at once: three times
 *         everything; the real system has the image once.
 *   cpio  the root is a file of the kexec initrd. Three times everything too, and twice the image while the real
 *         kernel unpacks it. Any kernel can.
 *
 * Measured: docs/handoff.md.
 */
import {
  fileOfRole,
  kernelRetainsInitrd,
  type Manifest,
  STRATEGIES,
  type Strategy,
} from '../../contract/manifest.ts';
import { CPIO_ROOT_PATH, cpioLayout, type Literal } from './cpio-layout.ts';
import { isSystemRam, type MemoryRange, systemRamBytes } from './memory-map.ts';
import { retainLayout } from './retain-layout.ts';

export interface PmemRegion {
  /** Block device, as `/dev/pmem0`. */
  readonly device: string;
  /** Physical address of its first byte. */
  readonly start: number;
  readonly lengthBytes: number;
}

export interface PlanInput {
  /** MemTotal and MemAvailable of /proc/meminfo, in bytes: what stage-1's kernel has, pmem not counted. */
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly firmwareMap: readonly MemoryRange[];
  readonly pmem: readonly PmemRegion[];
  readonly manifest: Manifest;
  /** `swarmboot.handoff=` */
  readonly forced: 'auto' | Strategy;
  /** Strategies that already failed on this boot. */
  readonly excluded: readonly Strategy[];
}

/** Where the bytes of one torrent file go. */
export interface Placement {
  /** Path inside the torrent. */
  readonly file: string;
  /** A name in the tmpfs, or a device if it begins with `/`. */
  readonly target: string;
  readonly offset: number;
}

/** A file that is made in the tmpfs before the swarm starts. */
export interface PreparedFile {
  readonly name: string;
  readonly lengthBytes: number;
  readonly literals: readonly Literal[];
}

export interface Layout {
  /** Size limit of the tmpfs. */
  readonly tmpfsBytes: number;
  readonly files: readonly PreparedFile[];
  readonly placements: readonly Placement[];
  /** What kexec gets, names in the tmpfs. */
  readonly kernel: string;
  readonly initrd: string;
  /** Where the boot script of the real system finds the root: the value of its `swarmboot.root=`. */
  readonly root: string;
  /** Where in `initrd` another archive goes; undefined: at its end. */
  readonly room: { readonly offset: number; readonly lengthBytes: number } | undefined;
  /** pmem only: what the real kernel's memmap= keeps, 2 MiB aligned. */
  readonly reserved: { readonly start: number; readonly lengthBytes: number } | undefined;
}

export interface Plan {
  readonly strategy: Strategy;
  readonly layout: Layout;
  /** Most RAM of stage-1 that the strategy needs at once, the agent's own included. */
  readonly neededBytes: number;
  /** What was available when this was planned. */
  readonly availableBytes: number;
  /** Sentences: why not the others, why this one. */
  readonly reasons: readonly string[];
}

export interface Refusal {
  readonly code: 'too-little-memory' | 'no-strategy';
  readonly message: string;
  readonly hint: string;
}

export type PlanResult = { readonly plan: Plan } | { readonly refusal: Refusal };

const MIB = 1024 ** 2;
/** memmap= regions of the real kernel begin and end on this: struct pages come in sections of 2 MiB. */
const ALIGNMENT_BYTES = 2 * MIB;
/**
 * What the agent has grown by when it calls kexec, less what it then gives back (phases/handoff.ts), and what the kernel keeps
 * free. Measured: docs/handoff.md.
 */
const HEADROOM_BYTES = 36 * MIB;
/** kexec sets aside what a kernel needs to unpack itself (`init_size` of its header): 4.8 times Debian's vmlinuz. */
const KERNEL_UNPACKED_FACTOR = 5;
const TMPFS_SLACK_BYTES = 4 * MIB;
/** A "4 GiB" machine shows less: firmware and graphics take their share before the memory map is made. */
const MINIMUM_TOLERANCE = 0.05;

const mib = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;
const mibDown = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;
const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

type Attempt =
  | Omit<Plan, 'reasons' | 'availableBytes'>
  | { readonly unfit: string; readonly shortBytes?: number };

/** Chooses a strategy, or says with numbers why none will do. */
export function planHandoff(input: PlanInput): PlanResult {
  const { manifest } = input;
  const machineBytes = systemRamBytes(input.firmwareMap) || input.totalBytes;
  if (machineBytes < manifest.minimumMemoryBytes * (1 - MINIMUM_TOLERANCE)) {
    return refuse('too-little-memory', [
      `Image "${manifest.name}" needs a machine with ${mib(manifest.minimumMemoryBytes)} of RAM, ` +
        `this one has ${mibDown(machineBytes)}`,
    ]);
  }
  const wanted: readonly Strategy[] = input.forced === 'auto' ? STRATEGIES : [input.forced];
  const reasons: string[] = [];
  let short = false;
  for (const strategy of wanted) {
    if (input.excluded.includes(strategy)) {
      reasons.push(`${strategy}: failed earlier in this boot`);
    } else if (!manifest.strategies.includes(strategy)) {
      reasons.push(`${strategy}: not supported by image "${manifest.name}"`);
    } else {
      const attempt = ATTEMPTS[strategy](input);
      if (!('unfit' in attempt)) {
        reasons.push(
          `${strategy}: needs ${mib(attempt.neededBytes)} of RAM, ${mibDown(input.availableBytes)} is available`,
        );
        return { plan: { ...attempt, availableBytes: input.availableBytes, reasons } };
      }
      short ||= attempt.shortBytes !== undefined;
      reasons.push(`${strategy}: ${attempt.unfit}`);
    }
  }
  return refuse(short ? 'too-little-memory' : 'no-strategy', reasons);
}

function refuse(code: Refusal['code'], reasons: readonly string[]): PlanResult {
  const hint =
    code === 'too-little-memory'
      ? 'Add RAM, use a smaller image, or boot stage-1 with the memmap= of the generated iPXE script'
      : 'Check swarmboot.handoff= and the memmap= of stage-1 against the generated iPXE script';
  return { refusal: { code, message: `Cannot place the image in RAM: ${reasons.join('; ')}`, hint } };
}

const lacking = (neededBytes: number, availableBytes: number): Attempt => ({
  unfit: `needs ${mib(neededBytes)} of RAM, ${mibDown(availableBytes)} is available`,
  shortBytes: neededBytes - availableBytes,
});

const tmpfsBytes = (files: readonly PreparedFile[]): number =>
  roundUp(
    files.reduce((sum, file) => sum + file.lengthBytes, 0),
    MIB,
  ) + TMPFS_SLACK_BYTES;

/**
 * RAM of stage-1 while kexec_file_load(2) loads: the files in the tmpfs, the kernel's buffers that it reads them into, and
 * the segments for the next kernel.
 */
const loadingBytes = (kernelBytes: number, initrdBytes: number): number =>
  2 * (kernelBytes + initrdBytes) + KERNEL_UNPACKED_FACTOR * kernelBytes + initrdBytes + HEADROOM_BYTES;

function planPmem(input: PlanInput): Attempt {
  const kernel = fileOfRole(input.manifest, 'kernel');
  const initrd = fileOfRole(input.manifest, 'initrd');
  const root = fileOfRole(input.manifest, 'root');
  const reservedBytes = roundUp(root.length, ALIGNMENT_BYTES);
  const largest = input.pmem.toSorted((a, b) => b.lengthBytes - a.lengthBytes)[0];
  if (!largest) {
    // nd_pmem calls the last case "misaligned, unable to map".
    return {
      unfit:
        'no /dev/pmem here (stage-1 got no memmap=, no RAM lies in its range, or the RAM there ends between two ' +
        'multiples of 2 MiB)',
    };
  }
  // The kernel offers a region for any address it is told, RAM or not, and writes to nothing succeed: only the
  // firmware's map knows.
  const usable = input.pmem
    .filter((region) => region.start % ALIGNMENT_BYTES === 0)
    .filter((region) => isSystemRam(input.firmwareMap, region.start, reservedBytes))
    .filter((region) => region.lengthBytes >= root.length)
    .toSorted((a, b) => b.lengthBytes - a.lengthBytes)[0];
  if (!usable) {
    if (largest.lengthBytes < root.length) {
      return {
        unfit: `the root image has ${mib(root.length)}, ${largest.device} only ${mibDown(largest.lengthBytes)}`,
        shortBytes: root.length - largest.lengthBytes,
      };
    }
    return {
      unfit:
        `${largest.device} at 0x${largest.start.toString(16)} with ${mibDown(largest.lengthBytes)} is not ` +
        `2 MiB aligned System RAM for all of the image's ${mib(reservedBytes)}`,
    };
  }
  const neededBytes = loadingBytes(kernel.length, initrd.length);
  if (neededBytes > input.availableBytes) return lacking(neededBytes, input.availableBytes);
  const files = [
    { name: kernel.path, lengthBytes: kernel.length, literals: [] },
    { name: initrd.path, lengthBytes: initrd.length, literals: [] },
  ];
  return {
    strategy: 'pmem',
    neededBytes,
    layout: {
      tmpfsBytes: tmpfsBytes(files),
      files,
      placements: [
        { file: kernel.path, target: kernel.path, offset: 0 },
        { file: initrd.path, target: initrd.path, offset: 0 },
        { file: root.path, target: usable.device, offset: 0 },
      ],
      kernel: kernel.path,
      initrd: initrd.path,
      // The real kernel has one region only, so it is always pmem0 there.
      root: 'pmem:/dev/pmem0',
      room: undefined,
      reserved: { start: usable.start, lengthBytes: reservedBytes },
    },
  };
}

/** Not the name of a torrent file: the manifest's names begin with a letter or digit. */
const ARCHIVE_FILE = '_handoff.img';

function planRetain(input: PlanInput): Attempt {
  const { kernelRelease } = input.manifest;
  if (!kernelRetainsInitrd(kernelRelease))
    return { unfit: `kernel ${kernelRelease} is older than 6.8, the first that shows its initrd` };
  return planArchive(input, 'retain', retainLayout, (rootOffset) => `initrd:${rootOffset}`);
}

const planCpio = (input: PlanInput): Attempt =>
  planArchive(input, 'cpio', cpioLayout, () => `file:/${CPIO_ROOT_PATH}`);

interface ArchiveLayout {
  readonly initrdOffset: number;
  readonly rootOffset: number;
  readonly lengthBytes: number;
  readonly literals: readonly Literal[];
  readonly room?: Layout['room'];
}

/** Initrd and root in one file. */
function planArchive(
  input: PlanInput,
  strategy: Strategy,
  layoutOf: (initrdBytes: number, rootBytes: number) => ArchiveLayout | undefined,
  rootOf: (rootOffset: number) => string,
): Attempt {
  const kernel = fileOfRole(input.manifest, 'kernel');
  const initrd = fileOfRole(input.manifest, 'initrd');
  const root = fileOfRole(input.manifest, 'root');
  const layout = layoutOf(initrd.length, root.length);
  if (!layout)
    return { unfit: `initrd and root have ${mib(initrd.length + root.length)}, kexec takes below 4096 MiB` };
  const neededBytes = loadingBytes(kernel.length, layout.lengthBytes);
  if (neededBytes > input.availableBytes) return lacking(neededBytes, input.availableBytes);
  const files = [
    { name: kernel.path, lengthBytes: kernel.length, literals: [] },
    { name: ARCHIVE_FILE, lengthBytes: layout.lengthBytes, literals: layout.literals },
  ];
  return {
    strategy,
    neededBytes,
    layout: {
      tmpfsBytes: tmpfsBytes(files),
      files,
      placements: [
        { file: kernel.path, target: kernel.path, offset: 0 },
        { file: initrd.path, target: ARCHIVE_FILE, offset: layout.initrdOffset },
        { file: root.path, target: ARCHIVE_FILE, offset: layout.rootOffset },
      ],
      kernel: kernel.path,
      initrd: ARCHIVE_FILE,
      root: rootOf(layout.rootOffset),
      room: layout.room ?? undefined,
      reserved: undefined,
    },
  };
}

const ATTEMPTS: Readonly<Record<Strategy, (input: PlanInput) => Attempt>> = {
  pmem: planPmem,
  retain: planRetain,
  cpio: planCpio,
};
