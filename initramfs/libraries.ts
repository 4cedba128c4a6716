/**
 * Finds the shared libraries that programs need by reading the programs, not from a list: a new dependency of node or
 * kexec is then found at build time, and never as "error while loading shared libraries" in a machine room.
 */
import { readElf } from './elf.ts';

export interface LibraryTree {
  /** Bytes of the library with this name, or undefined if the packages do not have it. */
  library(name: string): Uint8Array | undefined;
}

export interface ResolvedLibraries {
  /** Path in the initramfs -> bytes. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** One sentence for each library that is missing. */
  readonly missing: readonly string[];
}

/** "#!": the kernel starts the interpreter that it names, and that is a program of its own. */
const isScript = (bytes: Uint8Array): boolean => bytes[0] === 0x23 && bytes[1] === 0x21;

/**
 * Everything that the programs (path in the initramfs -> bytes) load at start, recursively; `directory` is where the
 * dynamic linker looks (architecture.ts).
 */
export function resolveLibraries(
  programs: ReadonlyMap<string, Uint8Array>,
  tree: LibraryTree,
  directory: string,
): ResolvedLibraries {
  const files = new Map<string, Uint8Array>();
  const missing: string[] = [];
  const visited = new Set<string>();
  const queue = [...programs];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [path, bytes] = next;
    if (isScript(bytes)) continue;
    const { needed, interpreter } = readElf(bytes);
    const wanted = new Map(needed.map((name) => [name, `${directory}/${name}`]));
    // The linker is named by its full path (/lib64/ld-linux-x86-64.so.2), and again as a library by some.
    if (interpreter) wanted.set(interpreter, interpreter.replace(/^\//, ''));
    for (const [name, target] of wanted) {
      if (visited.has(target)) continue;
      visited.add(target);
      const library = tree.library(name.slice(name.lastIndexOf('/') + 1));
      if (!library) {
        missing.push(`${path} needs the library "${name}", which the Debian packages of stage-1 do not have`);
        continue;
      }
      files.set(target, library);
      queue.push([target, library]);
    }
  }
  return { files, missing };
}
