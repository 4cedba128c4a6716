/** Finds, orders and unpacks the kernel modules that the boot archive carries, from the image's own root. */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { Failure } from '../failure.ts';
import type { BootModule } from './boot-cpio.ts';
import { runProgram } from './run-program.ts';
import { listSquashfs, readFromSquashfs } from './squashfs.ts';

/** Without these no image boots. */
const ROOT_MODULES = ['squashfs', 'overlay', 'loop'] as const;
/** With these too the image can stay in place in RAM (strategy pmem). nd_e820 exists on x86 only. */
const PMEM_MODULES = ['nd_pmem', 'nd_e820'] as const;

/** With these the root can be checked whenever it is read (dm-verity). */
const VERITY_MODULES = ['dm_verity'] as const;
/** SHA-256 by instructions of the processor; Debian's kernels have the slow one built in. */
const HASH_MODULES = ['sha256_ssse3', 'sha256_arm64', 'sha2_ce'] as const;

/** A Debian kernel module is below 10 MB unpacked; 64 MiB is an attack or a mistake. */
const MODULE_LIMIT_BYTES = 64 * 1024 * 1024;

/** `kernel/fs/overlayfs/overlay.ko.xz` to `overlay`; modprobe(8) takes - and _ for the same. */
export const moduleName = (path: string): string =>
  (path.split('/').at(-1) ?? '').replace(/\.ko(\.(xz|zst|gz))?$/, '').replaceAll('-', '_');

/** What modules.dep(5) and modules.builtin say of one kernel. */
export interface ModuleIndex {
  /** Name to path and the paths it needs, as modules.dep lists them. */
  readonly loadable: ReadonlyMap<string, { readonly path: string; readonly needs: readonly string[] }>;
  readonly builtin: ReadonlySet<string>;
}

export function parseModuleIndex(dependencies: string, builtin: string): ModuleIndex {
  const loadable = new Map<string, { path: string; needs: string[] }>();
  for (const line of dependencies.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const path = line.slice(0, colon);
    loadable.set(moduleName(path), {
      path,
      needs: line
        .slice(colon + 1)
        .split(' ')
        .filter(Boolean),
    });
  }
  return { loadable, builtin: new Set(builtin.split('\n').filter(Boolean).map(moduleName)) };
}

/**
 * Paths of `names` and all they need, in an order in which insmod can load them (modules.dep lists needs from the
 * nearest to the farthest, so they are taken from behind). Built-in modules are left out. `missing`: in neither list.
 */
export function loadingOrder(
  index: ModuleIndex,
  names: readonly string[],
): { paths: string[]; missing: string[] } {
  const paths: string[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const module = index.loadable.get(name);
    if (!module) {
      if (!index.builtin.has(name)) missing.push(name);
      continue;
    }
    for (const path of [...module.needs.toReversed(), module.path]) {
      if (!paths.includes(path)) paths.push(path);
    }
  }
  return { paths, missing };
}

async function unpack(path: string, bytes: Buffer, signal: AbortSignal | undefined): Promise<Buffer> {
  if (path.endsWith('.xz')) {
    return await runProgram('xz', ['-dc'], {
      timeoutMs: 60_000,
      input: bytes,
      outputLimitBytes: MODULE_LIMIT_BYTES,
      debianPackage: 'xz-utils',
      ...(signal ? { signal } : {}),
    });
  }
  if (path.endsWith('.zst')) return zstdDecompressSync(bytes, { maxOutputLength: MODULE_LIMIT_BYTES });
  if (path.endsWith('.gz')) return gunzipSync(bytes, { maxOutputLength: MODULE_LIMIT_BYTES });
  return bytes;
}

/** Where the root image keeps modules: merged /usr or not. Returns folder and kernel releases found there. */
async function findModuleFolder(
  root: string,
  signal: AbortSignal | undefined,
): Promise<{ folder: string; releases: string[] }> {
  for (const folder of ['usr/lib/modules', 'lib/modules']) {
    const paths = await listSquashfs(root, folder, signal);
    const releases = paths
      .filter((path) => path.startsWith(`${folder}/`) && path.endsWith('/modules.dep'))
      .map((path) => path.slice(folder.length + 1, -'/modules.dep'.length))
      .filter((release) => !release.includes('/'));
    if (releases.length > 0) return { folder, releases };
  }
  throw new Failure(
    'bad-image',
    `${root} has no kernel modules (/usr/lib/modules/*/modules.dep); is it a root file system?`,
  );
}

export interface ImageModules {
  readonly release: string;
  readonly modules: readonly BootModule[];
  /** Whether the image can find its root in persistent memory. */
  readonly pmem: boolean;
  /** Whether its initrd can have its root checked by dm-verity. */
  readonly verity: boolean;
}

/** initramfs-tools puts dmsetup into the initrd of every system that has it. */
async function hasDmsetup(root: string, signal: AbortSignal | undefined): Promise<boolean> {
  for (const folder of ['usr/sbin', 'sbin']) {
    const paths = await listSquashfs(root, folder, signal);
    if (paths.includes(`${folder}/dmsetup`)) return true;
  }
  return false;
}

/**
 * The modules of kernel `release` (the only one of the image if undefined) in the squashfs `root`.
 * Throws `Failure` `bad-image` where the root belongs to another kernel or lacks what every boot needs.
 */
export async function readImageModules(
  root: string,
  release: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ImageModules> {
  const { folder, releases } = await findModuleFolder(root, signal);
  const chosen = release ?? (releases.length === 1 ? releases[0] : undefined);
  if (chosen === undefined || !releases.includes(chosen)) {
    throw new Failure(
      'bad-image',
      `The kernel is ${release ?? 'of unknown release'}, but ${root} has modules for ${releases.join(', ')}; take kernel, initrd and root from the same system`,
    );
  }
  const inner = (file: string) => readFromSquashfs(root, `${folder}/${chosen}/${file}`, signal);
  const index = parseModuleIndex(
    (await inner('modules.dep')).toString('utf8'),
    (await inner('modules.builtin')).toString('utf8'),
  );
  const missing = loadingOrder(index, ROOT_MODULES).missing;
  if (missing.length > 0) {
    throw new Failure(
      'bad-image',
      `${root} lacks kernel modules that swarmboot needs: ${missing.join(', ')}`,
    );
  }
  const pmem = loadingOrder(index, PMEM_MODULES).missing.length === 0;
  const verity = loadingOrder(index, VERITY_MODULES).missing.length === 0 && (await hasDmsetup(root, signal));
  const { paths } = loadingOrder(index, [
    ...(pmem ? PMEM_MODULES : []),
    ...(verity ? [...HASH_MODULES, ...VERITY_MODULES] : []),
    ...ROOT_MODULES,
  ]);
  const modules: BootModule[] = [];
  for (const path of paths) {
    modules.push({ name: moduleName(path), bytes: await unpack(path, await inner(path), signal) });
  }
  return { release: chosen, modules, pmem, verity };
}
