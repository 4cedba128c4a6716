/** Reads kernel, modules, programs and libraries out of unpacked Debian packages. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LibraryTree } from './libraries.ts';
import { canonicalName, type ModuleTree } from './modules.ts';

const run = promisify(execFile);
const COMMAND_TIMEOUT_MS = 60_000;
const LARGEST_MODULE_BYTES = 64 * 2 ** 20;
const DECOMPRESSORS = 4;

/** Bytes, or undefined if there is no such file. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** The one kernel that the packages have. */
export function kernelOf(tree: string): { release: string; bytes: Buffer } {
  const names = readdirSync(join(tree, 'boot')).filter((name) => name.startsWith('vmlinuz-'));
  const [name] = names;
  if (names.length !== 1 || !name)
    throw new Error(`Cannot choose a kernel: the packages have ${names.length}, not one`);
  return { release: name.slice('vmlinuz-'.length), bytes: readFileSync(join(tree, 'boot', name)) };
}

export const programOf = (tree: string, path: string): Buffer | undefined => readIfThere(join(tree, path));

/** `libraryDirectory` is the architecture's, where ld.so looks; Debian has merged /lib into /usr/lib. */
export function libraryTree(tree: string, libraryDirectory: string): LibraryTree {
  return {
    library: (name) => {
      for (const folder of [`usr/${libraryDirectory}`, 'usr/lib', libraryDirectory, 'lib']) {
        const bytes = readIfThere(join(tree, folder, name));
        if (bytes) return bytes;
      }
      return undefined;
    },
  };
}

const nameOfPath = (path: string): string =>
  canonicalName(path.slice(path.lastIndexOf('/') + 1).replace(/\.ko(\.xz)?$/, ''));

export interface DebianModules extends ModuleTree {
  /** The kernel's list of what is built in, as modprobe reads it. */
  readonly builtinList: string;
}

/** Modules of a kernel; Debian's are xz-compressed since 6.12 and busybox's modprobe wants them plain. */
export function moduleTree(tree: string, release: string): DebianModules {
  const folder = join(tree, 'usr/lib/modules', release);
  const files = new Map<string, string>();
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (/\.ko(\.xz)?$/.test(path)) files.set(nameOfPath(path), path);
  }
  const builtinList = readFileSync(join(folder, 'modules.builtin'), 'utf8');
  const builtin = new Set(
    builtinList
      .split('\n')
      .filter((line) => line !== '')
      .map(nameOfPath),
  );
  let running = 0;
  const waiting: (() => void)[] = [];
  const decompress = async (path: string): Promise<Buffer> => {
    while (running >= DECOMPRESSORS) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      const { stdout } = await run('xz', ['--decompress', '--stdout', path], {
        encoding: 'buffer',
        maxBuffer: LARGEST_MODULE_BYTES,
        timeout: COMMAND_TIMEOUT_MS,
      });
      return stdout;
    } catch (error) {
      const { killed, message } = error as Error & { readonly killed?: boolean };
      const why = killed
        ? `xz was not done after ${COMMAND_TIMEOUT_MS / 1000} s, on a busy machine?`
        : message;
      throw new Error(`Cannot unpack the kernel module ${path}: ${why}`, { cause: error });
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
  return {
    builtinList,
    isBuiltin: (name) => builtin.has(name),
    pathOf: (name) => files.get(name)?.replace(/\.xz$/, ''),
    read: (path) => {
      const file = join(folder, files.get(nameOfPath(path)) ?? path);
      return file.endsWith('.xz') ? decompress(file) : readFile(file);
    },
  };
}
