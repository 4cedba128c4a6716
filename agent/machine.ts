/**
 * Everything of the outside world that the boot touches besides the network: clocks, randomness, the file system
 * root, programs. The phases take it as an argument, so that tests run them without a machine.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { kexecFileLoad } from './kexec-file-load.ts';

export interface RunResult {
  /** Exit status; undefined if a signal ended the program or it could not be started. */
  readonly status: number | undefined;
  /** Standard output and standard error as they came, trimmed, at most `OUTPUT_LIMIT` characters of each end. */
  readonly output: string;
}

export interface RunOptions {
  /** Kills the program. */
  readonly signal?: AbortSignal;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Machine {
  /** Put before every absolute path: '' on a real machine. */
  readonly root: string;
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Milliseconds since 1970; a machine with a dead CMOS battery is years off. */
  wallClockMs(): number;
  /** From 0 to below 1. */
  random(): number;
  randomBytes(lengthBytes: number): Buffer;
  /** Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs a program found in PATH. Never rejects: a program that does not start is a result too. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Loads a kernel for `kexec -e` with less RAM than the program kexec; undefined: not on this architecture. */
  readonly loadKernel: ((kernelPath: string, initrdPath: string, cmdline: string) => RunResult) | undefined;
}

/** More output than this is not kept, in characters. */
const OUTPUT_LIMIT = 4096;

function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const keep = (chunk: Buffer): void => {
      if (output.length < OUTPUT_LIMIT)
        output += chunk.toString('utf8').slice(0, OUTPUT_LIMIT - output.length);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', (error) => resolve({ status: undefined, output: output.trim() || error.message }));
    child.on('close', (status) => resolve({ status: status ?? undefined, output: output.trim() }));
  });
}

/** The machine that this process runs on. */
export const realMachine: Machine = {
  root: '',
  now: () => performance.now(),
  wallClockMs: () => Date.now(),
  random: () => Math.random(),
  randomBytes,
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
  run,
  loadKernel: process.arch === 'x64' ? kexecFileLoad : undefined,
};

export const pathOf = (machine: Machine, path: string): string => join(machine.root || '/', path);

// /proc and /sys answer from memory, so these reads are synchronous: no state changes between two of them.

/** Trimmed text of a small file; undefined if it is missing or refuses (as `carrier` of a downed interface does). */
export function readText(machine: Machine, path: string): string | undefined {
  try {
    return readFileSync(pathOf(machine, path), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Sorted names in a folder; none if it is missing. */
export function listFolder(machine: Machine, path: string): string[] {
  try {
    return readdirSync(pathOf(machine, path)).sort();
  } catch {
    return [];
  }
}

/** Where a path leads after all symbolic links; undefined if nowhere. */
export function resolveLink(machine: Machine, path: string): string | undefined {
  try {
    return realpathSync(pathOf(machine, path));
  } catch {
    return undefined;
  }
}

/** Writes a small file, making its folder. */
export function writeText(machine: Machine, path: string, text: string, mode = 0o644): void {
  const full = pathOf(machine, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text, { mode });
}

/** Seconds since the kernel started (CLOCK_BOOTTIME, proc_uptime(5)); 0 if unknown. */
export const uptimeSeconds = (machine: Machine): number =>
  Number.parseFloat(readText(machine, '/proc/uptime') ?? '') || 0;
