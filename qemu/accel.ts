/**
 * Whether KVM can be used here. That /dev/kvm exists and opens says little: on nested hosts a guest may hang in its
 * first instructions, run a thousand times too slowly, or be refused a CPU feature. So a guest is really booted.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './cleanup.ts';
import { platformArguments } from './machine-arguments.ts';

export type Accelerator = 'kvm' | 'tcg';
export const ACCELERATOR_CHOICES = ['auto', 'kvm', 'tcg'] as const;
export type AcceleratorChoice = (typeof ACCELERATOR_CHOICES)[number];

export interface AcceleratorDecision {
  readonly accelerator: Accelerator;
  /** A clause that says why. */
  readonly reason: string;
}

export type ProbeResult =
  | { readonly works: true; readonly seconds: number }
  | { readonly works: false; readonly reason: string };

/** The choice, given what a probe found: `kvm` and `tcg` are obeyed, `auto` needs the probe. */
export function decideAccelerator(
  choice: AcceleratorChoice,
  probe: ProbeResult | undefined,
): AcceleratorDecision {
  if (choice !== 'auto') return { accelerator: choice, reason: 'as asked' };
  if (probe === undefined) return { accelerator: 'tcg', reason: 'nothing is known about KVM here' };
  return probe.works
    ? { accelerator: 'kvm', reason: `KVM booted a guest in ${probe.seconds.toFixed(1)} s` }
    : { accelerator: 'tcg', reason: probe.reason };
}

/** A guest that takes longer is of no use: real KVM needs 0.2 s for the sector and 1.5 s for a kernel. */
export const PROBE_TIMEOUT_MS = 5000;
const DEBUG_EXIT_PORT = 0xf4;
/** QEMU's isa-debug-exit ends QEMU with (value << 1) | 1. */
const EXIT_VALUE = 0x10;

/** A disk whose boot sector tells isa-debug-exit to end QEMU. SeaBIOS does not boot an AHCI disk of one sector. */
export function probeDisk(): Buffer {
  const disk = Buffer.alloc(1024 * 1024);
  // mov dx, 0xf4; mov al, 0x10; out dx, al; hlt; jmp $-1
  Buffer.from([0xba, DEBUG_EXIT_PORT, 0x00, 0xb0, EXIT_VALUE, 0xee, 0xf4, 0xeb, 0xfd]).copy(disk);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

/**
 * Boots a guest with `accelerator`: `kernel` if given (it reaches long mode and ends in a panic for want of a root,
 * which `panic=-1` turns into a reset and so into the end of QEMU), else a boot sector.
 */
export async function probeAccelerator(
  accelerator: Accelerator,
  options: { readonly kernel?: string | undefined; readonly timeoutMs?: number } = {},
): Promise<ProbeResult> {
  const timeoutMs = options.timeoutMs ?? PROBE_TIMEOUT_MS;
  if (accelerator === 'kvm') {
    const usable = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    );
    if (!usable) return { works: false, reason: 'there is no /dev/kvm that we may use' };
  }
  const folder = await mkdtemp(join(tmpdir(), 'swarmboot-probe-'));
  try {
    const disk = join(folder, 'disk.img');
    await writeFile(disk, probeDisk());
    const guest = options.kernel
      ? { args: ['-m', '512', '-kernel', options.kernel, '-append', 'quiet panic=-1'], expected: 0 }
      : {
          args: [
            ...[
              '-m',
              '64',
              '-drive',
              `if=none,id=disk,format=raw,file=${disk}`,
              '-device',
              'ide-hd,drive=disk',
            ],
            ...['-device', `isa-debug-exit,iobase=${DEBUG_EXIT_PORT},iosize=4`],
          ],
          expected: (EXIT_VALUE << 1) | 1,
        };
    return await run(
      [...platformArguments(accelerator), ...guest.args],
      guest.expected,
      accelerator,
      timeoutMs,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(
  args: readonly string[],
  expected: number,
  accelerator: Accelerator,
  timeoutMs: number,
): Promise<ProbeResult> {
  const under = accelerator.toUpperCase();
  const begun = performance.now();
  const child = spawn('qemu-system-x86_64', args, { stdio: 'ignore' });
  const forget = onExit(() => child.kill('SIGKILL'));
  return new Promise<ProbeResult>((resolve) => {
    const timer = setTimeout(() => {
      resolve({ works: false, reason: `a guest hung under ${under} for ${timeoutMs / 1000} s` });
      // A QEMU stuck in the kernel may not even die: we neither wait for it nor let it hold our exit.
      child.unref();
    }, timeoutMs);
    child.once('error', (error) =>
      resolve({ works: false, reason: `QEMU does not start: ${error.message}` }),
    );
    child.once('exit', (code, signal) =>
      resolve(
        code === expected
          ? { works: true, seconds: (performance.now() - begun) / 1000 }
          : { works: false, reason: `QEMU gave up under ${under} (${signal ?? `exit status ${code}`})` },
      ),
    );
    child.once('exit', () => clearTimeout(timer));
  }).finally(forget);
}

/** Decides for this host; only `auto` takes time, at most `PROBE_TIMEOUT_MS`. */
export async function chooseAccelerator(
  choice: AcceleratorChoice,
  kernel?: string,
): Promise<AcceleratorDecision> {
  return decideAccelerator(choice, choice === 'auto' ? await probeAccelerator('kvm', { kernel }) : undefined);
}
