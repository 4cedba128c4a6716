/**
 * kexec_file_load(2), called by the agent itself. The program kexec reads the kernel into its own memory and copies that
 * into a memfd before it makes the same call: twice the kernel, 24 MiB, which a machine with little RAM lacks. Blocks the
 * agent while the kernel loads.
 */
import { closeSync, openSync } from 'node:fs';
import type { RunResult } from './machine.ts';

/** Of x86-64: arch/x86/entry/syscalls/syscall_64.tbl. */
const KEXEC_FILE_LOAD = 320n;

const SYMBOLS = {
  syscall: { arguments: ['int64', 'int64', 'int64', 'int64', 'buffer', 'int64'], return: 'int64' },
  __errno_location: { arguments: [], return: 'pointer' },
  strerror: { arguments: ['int32'], return: 'pointer' },
} as const;

/** Status 0, or 1 and strerror(3)'s text behind the name of the call, as kexec says it. Never throws. */
export function kexecFileLoad(kernelPath: string, initrdPath: string, cmdline: string): RunResult {
  const opened: number[] = [];
  try {
    const open = (path: string): bigint => {
      const fd = openSync(path, 'r');
      opened.push(fd);
      return BigInt(fd);
    };
    // Loaded as late as this: it is experimental, says so, and only a machine with little RAM needs it.
    const ffi = process.getBuiltinModule('node:ffi');
    const { functions, lib } = ffi.dlopen(null, SYMBOLS);
    try {
      const text = Buffer.from(`${cmdline}\0`);
      const result = functions.syscall(
        ...([KEXEC_FILE_LOAD, open(kernelPath), open(initrdPath)] as const),
        ...([BigInt(text.length), text, 0n] as const),
      );
      if (result === 0n) return { status: 0, output: '' };
      const errno = ffi.getInt32(functions.__errno_location(), 0);
      return { status: 1, output: `kexec_file_load failed: ${ffi.toString(functions.strerror(errno))}` };
    } finally {
      lib.close();
    }
  } catch (error) {
    return { status: 1, output: `kexec_file_load failed: ${(error as Error).message}` };
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
