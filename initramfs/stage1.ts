/**
 * Puts stage-1 together: the kernel as Debian signed it, and an initrd of four parts that are the same everywhere, with
 * the site's key behind them. Two of the parts are plain archives; two, the large ones, are a squashfs each that `init`
 * mounts, so that what nobody reads costs no RAM unpacked.
 *
 * Invariant: same packages, agent and key in, same bytes out. Nothing is written unless everything that stage-1 needs
 * is there and it all fits.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Entry, withDirectories, writeCpio } from '../contract/cpio.ts';
import type { Arch } from '../contract/manifest.ts';
import { keyArchive } from '../contract/stage1-key.ts';
import { appletsOf } from './applets.ts';
import { ARCHITECTURES } from './architecture.ts';
import {
  AGENT_ROOT,
  APPLETS,
  APPLETS_NOT_LINKED,
  DIRECTORIES,
  FILES,
  FIRST_MODULES,
  LINKS,
  MODULES,
  PROGRAMS,
} from './contents.ts';
import { kernelOf, libraryTree, moduleTree, programOf } from './debian-tree.ts';
import { resolveLibraries } from './libraries.ts';
import { type KernelModule, moduleIndex, resolveModules } from './modules.ts';
import { COMPRESSION_LEVEL, compressSegment } from './segment.ts';
import { makeSquashfs } from './system-squashfs.ts';

/** Runs the agent in a real system that has none of its own. */
const SEED_UNIT = 'swarmboot-seed.service';

/** Parts of the initrd, in the order in which the kernel unpacks them: what changes most seldom first. */
export const GROUPS = ['programs', 'modules', 'agent', 'base'] as const;
export type Group = (typeof GROUPS)[number];

/** Where `init` mounts the parts that are a squashfs; the file has the name of the part. */
export const MOUNT_POINTS: Readonly<Partial<Record<Group, string>>> = {
  modules: 'lib/modules',
  agent: 'system',
};

export interface Stage1Options {
  /** Of the packages and the agent. */
  readonly architecture: Arch;
  /** Folder of unpacked Debian packages (packages.ts). */
  readonly packages: string;
  /** The single-file agent. */
  readonly agent: Uint8Array;
  /** Public key (signify format) that manifests must be signed with; undefined leaves that to `swarmboot stage1`. */
  readonly publicKey: string | undefined;
  /** Folder for compressed parts. */
  readonly cache: string;
  /** Time stamp of every entry, in seconds since 1970 (SOURCE_DATE_EPOCH). */
  readonly mtime?: number;
  readonly limitBytes?: number;
  /** zstd level; lower for quick tests. */
  readonly level?: number;
  /** Names instead of contents.ts's, for tests of what is missing. */
  readonly modules?: readonly string[];
  readonly applets?: readonly string[];
  readonly firstModules?: readonly string[];
}

export interface Stage1Report {
  readonly kernelRelease: string;
  /** Lower-case hexadecimal SHA-256 of the files. */
  readonly sha256: { readonly vmlinuz: string; readonly 'initrd.img': string };
  readonly bytes: {
    readonly vmlinuz: number;
    readonly 'initrd.img': number;
    readonly total: number;
    readonly limit: number;
  };
  /** Bytes of the key's archive at the end, 0 without one. */
  readonly keyBytes: number;
  readonly groups: Readonly<Record<Group, { entries: number; rawBytes: number; compressedBytes: number }>>;
  /** Module -> firmware that it may ask for. None is shipped: Debian has it in non-free-firmware. */
  readonly firmwareNotShipped: Readonly<Record<string, readonly string[]>>;
  /** Path -> size in bytes of each file before compression, largest first. */
  readonly files: Readonly<Record<string, number>>;
}

export interface Stage1 {
  readonly vmlinuz: Buffer;
  readonly initrd: Buffer;
  readonly report: Stage1Report;
}

/** `code` is `missing` (something that the agent needs is not there) or `too-big`; the message has the fix. */
export class Stage1Error extends Error {
  override readonly name = 'Stage1Error';
  readonly code: 'missing' | 'too-big';
  constructor(code: 'missing' | 'too-big', message: string) {
    super(message);
    this.code = code;
  }
}

const file = (path: string, mode: number, bytes: Uint8Array | string): Entry => ({
  kind: 'file',
  path,
  mode,
  bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Programs {
  /** Busybox, which `init` needs before anything is mounted. */
  readonly shell: Entry[];
  /** Everything else, as it lies in the squashfs. */
  readonly system: Entry[];
  /** Where programs look for those. */
  readonly links: Entry[];
  readonly missing: string[];
}

function programEntries(options: Stage1Options): Programs {
  const { packages, architecture } = options;
  const { libraryDirectory } = ARCHITECTURES[architecture];
  const missing: string[] = [];
  const programs = new Map<string, Uint8Array>();
  for (const [path, source] of Object.entries(PROGRAMS)) {
    const bytes = programOf(packages, source);
    if (bytes) programs.set(path, bytes);
    else missing.push(`stage-1 needs the program "${source}", which its Debian packages do not have`);
  }
  const busybox = programs.get('bin/busybox');
  const present = busybox ? appletsOf(busybox) : [];
  for (const applet of options.applets ?? APPLETS) {
    if (!present.includes(applet))
      missing.push(`stage-1 needs the applet "${applet}", which this busybox does not have`);
  }
  programs.set('bin/swarmboot-agent', options.agent);
  const libraries = resolveLibraries(programs, libraryTree(packages, libraryDirectory), libraryDirectory);
  const link = (path: string, target: string): Entry => ({ kind: 'symlink', path, target });
  const shell = [...programs].filter(([path]) => path === 'bin/busybox');
  const system = [...programs].filter(([path]) => path !== 'bin/busybox');
  // lib is where the drivers are mounted: what lies right in it, ARM64's dynamic linker, is linked by itself.
  const places = new Set(
    [...libraries.files.keys()].map((path) => (dirname(path) === 'lib' ? path : dirname(path))),
  );
  return {
    shell: [
      ...shell.map(([path, bytes]) => file(path, 0o755, bytes)),
      ...present
        .filter((applet) => !APPLETS_NOT_LINKED.includes(applet))
        .map((applet) => link(`bin/${applet}`, 'busybox')),
    ],
    system: [
      ...[...system, ...libraries.files].map(([path, bytes]) => file(path, 0o755, bytes)),
      file('seed/swarmboot-seed.service', 0o644, readFileSync(join(import.meta.dirname, SEED_UNIT))),
      ...Object.entries(AGENT_ROOT).map(([path, mode]): Entry => ({ kind: 'directory', path, mode })),
    ],
    links: [...system.map(([path]) => path), ...places].map((path) =>
      link(path, `/${MOUNT_POINTS.agent}/${path}`),
    ),
    missing: [...missing, ...libraries.missing],
  };
}

async function moduleEntries(
  options: Stage1Options,
  release: string,
): Promise<{
  entries: Entry[];
  /** What `init` loads to mount the rest. */
  first: Entry[];
  missing: readonly string[];
  modules: readonly KernelModule[];
}> {
  const tree = moduleTree(options.packages, release);
  const { modulesAbsent } = ARCHITECTURES[options.architecture];
  const wanted = options.modules ?? MODULES.filter((name) => !modulesAbsent.includes(name));
  const { modules, missing: lacking } = await resolveModules(wanted, tree);
  const index = { ...moduleIndex(modules), 'modules.builtin': tree.builtinList };
  const entries = [
    ...modules.map(({ path, bytes }) => file(`${release}/${path}`, 0o644, bytes)),
    ...Object.entries(index).map(([name, text]) => file(`${release}/${name}`, 0o644, text)),
  ];
  const missing = [...lacking];
  const first = await resolveModules(options.firstModules ?? FIRST_MODULES, tree);
  for (const { name, depends } of first.modules) {
    if (depends.length > 0)
      missing.push(`the kernel module "${name}" needs ${depends.join(', ')}, and init loads it by itself`);
  }
  return {
    entries,
    first: first.modules.map(({ name, bytes }) => file(`lib/first/${name}.ko`, 0o644, bytes)),
    missing: [...missing, ...first.missing],
    modules,
  };
}

function baseEntries(): Entry[] {
  return [
    file('init', 0o755, readFileSync(join(import.meta.dirname, 'init'))),
    ...Object.entries(FILES).map(([path, text]) => file(path, 0o644, text)),
    ...Object.entries(DIRECTORIES).map(([path, mode]): Entry => ({ kind: 'directory', path, mode })),
    ...Object.entries(LINKS).map(([path, target]): Entry => ({ kind: 'symlink', path, target })),
    // Before devtmpfs is mounted the kernel opens /dev/console for PID 1.
    { kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'character-device', path: 'dev/null', mode: 0o666, major: 1, minor: 3 },
  ];
}

/** What goes into the initrd, before compression. Throws Stage1Error `missing` with every thing that is missing. */
export async function gatherEntries(
  options: Stage1Options,
): Promise<{ groups: Record<Group, Entry[]>; modules: readonly KernelModule[] }> {
  const { release } = kernelOf(options.packages);
  const programs = programEntries(options);
  const drivers = await moduleEntries(options, release);
  const missing = [...programs.missing, ...drivers.missing];
  if (missing.length > 0)
    throw new Stage1Error(
      'missing',
      `Cannot build stage-1: ${missing.join('; ')}. Correct initramfs/contents.ts or choose another suite`,
    );
  const groups: Record<Group, Entry[]> = {
    programs: withDirectories(programs.shell),
    modules: withDirectories(drivers.entries),
    agent: withDirectories(programs.system),
    base: withDirectories([...baseEntries(), ...programs.links, ...drivers.first]),
  };
  return { groups, modules: drivers.modules };
}

function checkSize(total: number, limit: number, groups: Stage1Report['groups'], kernel: number): void {
  if (total <= limit) return;
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const parts = GROUPS.map((name) => `${name} ${mebibytes(groups[name].compressedBytes)}`).join(', ');
  throw new Stage1Error(
    'too-big',
    `Cannot build stage-1: kernel and initrd take ${mebibytes(total)}, and ${mebibytes(limit)} is the limit (kernel ${mebibytes(kernel)}, ${parts}). Remove drivers from initramfs/contents.ts`,
  );
}

/** An archive, compressed; or one, not compressed any more, that holds the squashfs `GROUP.squashfs`. */
async function packGroup(group: Group, entries: readonly Entry[], options: Stage1Options): Promise<Buffer> {
  const { cache, level = COMPRESSION_LEVEL, mtime = 0 } = options;
  if (MOUNT_POINTS[group] === undefined) return compressSegment(writeCpio(entries, mtime), cache, level);
  // A driver is read once; the runtime's pages come and go.
  const compression = group === 'modules' ? 'xz' : { zstd: level };
  const bytes = await makeSquashfs(entries, { cache, compression, mtime, prefix: `segment-${group}-` });
  return writeCpio([file(`${group}.squashfs`, 0o444, bytes)], mtime);
}

/** Builds kernel, initrd and report in memory. Throws Stage1Error. */
export async function buildStage1(options: Stage1Options): Promise<Stage1> {
  const { release, bytes: vmlinuz } = kernelOf(options.packages);
  const { groups, modules } = await gatherEntries(options);
  const parts = await Promise.all(
    GROUPS.map(async (group) => {
      const entries = groups[group];
      const segment = await packGroup(group, entries, options);
      const rawBytes = entries.reduce(
        (sum, entry) => sum + (entry.kind === 'file' ? entry.bytes.length : 0),
        0,
      );
      return { group, segment, size: { entries: entries.length, rawBytes, compressedBytes: segment.length } };
    }),
  );
  const segments = parts.map(({ segment }) => segment);
  const sizes = Object.fromEntries(parts.map(({ group, size }) => [group, size])) as Stage1Report['groups'];
  const everywhere = Buffer.concat(segments);
  const key =
    options.publicKey === undefined ? Buffer.alloc(0) : keyArchive(options.publicKey, everywhere.length);
  const initrd = Buffer.concat([everywhere, key]);
  const limit = options.limitBytes ?? ARCHITECTURES[options.architecture].limitBytes;
  const total = vmlinuz.length + initrd.length;
  checkSize(total, limit, sizes, vmlinuz.length);
  const files = GROUPS.flatMap((group) => groups[group])
    .flatMap((entry): [string, number][] => (entry.kind === 'file' ? [[entry.path, entry.bytes.length]] : []))
    .sort(([leftPath, left], [rightPath, right]) => right - left || (leftPath < rightPath ? -1 : 1));
  const firmware = modules.filter((module) => module.firmware.length > 0);
  return {
    vmlinuz,
    initrd,
    report: {
      kernelRelease: release,
      sha256: { vmlinuz: sha256(vmlinuz), 'initrd.img': sha256(initrd) },
      bytes: { vmlinuz: vmlinuz.length, 'initrd.img': initrd.length, total, limit },
      keyBytes: key.length,
      groups: sizes,
      firmwareNotShipped: Object.fromEntries(firmware.map((module) => [module.name, module.firmware])),
      files: Object.fromEntries(files),
    },
  };
}
