/**
 * Kernel modules: which ones a list needs, and the index files that modprobe reads.
 *
 * Dependencies come from each module's own .modinfo. A soft "pre" dependency counts like a hard one: busybox's
 * modprobe does not know them, and r8169 without realtek has no PHY. depmod(8), modules.dep(5).
 */
import { readModinfo } from './elf.ts';

export interface KernelModule {
  /** Canonical name: underscores, no suffix. */
  readonly name: string;
  /** Path below /lib/modules/RELEASE, uncompressed: `kernel/drivers/net/veth.ko`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly depends: readonly string[];
  /** "pre" of softdep: loaded before, where the kernel has such a module. */
  readonly wishes: readonly string[];
  readonly aliases: readonly string[];
  /** Firmware files that the driver may ask for. */
  readonly firmware: readonly string[];
}

/** The modules of one kernel, by canonical name. */
export interface ModuleTree {
  isBuiltin(name: string): boolean;
  /** Path (as in KernelModule) of a module, or undefined if the kernel has no such module. */
  pathOf(name: string): string | undefined;
  /** The uncompressed module. */
  read(path: string): Promise<Uint8Array>;
}

/** modprobe takes "-" and "_" for the same. */
export const canonicalName = (name: string): string => name.replaceAll('-', '_');

export function describeModule(name: string, path: string, bytes: Uint8Array): KernelModule {
  const info = readModinfo(bytes);
  const all = (key: string): string[] => info.filter(([name]) => name === key).map(([, value]) => value);
  const soft = all('softdep').flatMap((value) => /\bpre: ([^:]*?)(?: ?post:|$)/.exec(value)?.[1] ?? []);
  const names = (lists: readonly string[]): string[] => [
    ...new Set(
      lists
        .flatMap((list) => list.split(/[,\s]+/))
        .filter((entry) => entry !== '')
        .map(canonicalName),
    ),
  ];
  return {
    name,
    path,
    bytes,
    depends: names(all('depends')),
    wishes: names(soft),
    aliases: all('alias'),
    firmware: all('firmware'),
  };
}

export interface ResolvedModules {
  /** Sorted by path. */
  readonly modules: readonly KernelModule[];
  /** One sentence for each module that is missing. */
  readonly missing: readonly string[];
}

/** The wanted modules and all they depend on. */
export async function resolveModules(wanted: readonly string[], tree: ModuleTree): Promise<ResolvedModules> {
  const found = new Map<string, KernelModule>();
  const missing: string[] = [];
  const visited = new Set<string>();
  let frontier = wanted.map((name) => ({ name: canonicalName(name), wantedBy: 'stage-1', optional: false }));
  while (frontier.length > 0) {
    const level = frontier.filter(({ name }) => !visited.has(name) && visited.add(name));
    const loaded = await Promise.all(
      level.map(async ({ name, wantedBy, optional }) => {
        if (tree.isBuiltin(name)) return undefined;
        const path = tree.pathOf(name);
        if (path !== undefined) return describeModule(name, path, await tree.read(path));
        if (!optional)
          missing.push(`${wantedBy} needs the kernel module "${name}", which this kernel does not have`);
        return undefined;
      }),
    );
    const modules = loaded.filter((module) => module !== undefined);
    for (const module of modules) found.set(module.name, module);
    frontier = modules.flatMap(({ name: by, depends, wishes }) => [
      ...depends.map((name) => ({ name, wantedBy: `the kernel module "${by}"`, optional: false })),
      ...wishes.map((name) => ({ name, wantedBy: `the kernel module "${by}"`, optional: true })),
    ]);
  }
  const modules = [...found.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  return { modules, missing };
}

/** Everything below a module, nearest first, so that loading from the end on works (as depmod writes it). */
function dependencyChain(module: KernelModule, byName: ReadonlyMap<string, KernelModule>): KernelModule[] {
  const ordered: KernelModule[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (next: KernelModule): void => {
    const before = state.get(next.name);
    if (before === 'done') return;
    if (before === 'open') throw new Error(`Cannot order kernel modules: "${next.name}" depends on itself`);
    state.set(next.name, 'open');
    for (const name of [...next.depends, ...next.wishes]) {
      const dependency = byName.get(name);
      if (dependency) visit(dependency); // absent: built into the kernel, or only a wish
    }
    state.set(next.name, 'done');
    ordered.push(next);
  };
  visit(module);
  return ordered.reverse().slice(1);
}

/** The files that modprobe reads in /lib/modules/RELEASE. */
export function moduleIndex(modules: readonly KernelModule[]): {
  'modules.dep': string;
  'modules.alias': string;
} {
  const byName = new Map(modules.map((module) => [module.name, module]));
  let dependencies = '';
  let aliases = '';
  for (const module of modules) {
    const chain = dependencyChain(module, byName).map(({ path }) => path);
    dependencies += `${[`${module.path}:`, ...chain].join(' ')}\n`;
    for (const alias of module.aliases) aliases += `alias ${alias} ${module.name}\n`;
  }
  return { 'modules.dep': dependencies, 'modules.alias': aliases };
}
