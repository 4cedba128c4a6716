/** What the tests of stage-1 share: Debian's packages, a key, and a QEMU machine that boots without PXE. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { formatPublicKey, generateKey } from '../../contract/signify.ts';
import { ARCHITECTURES } from '../../initramfs/architecture.ts';
import { PACKAGES } from '../../initramfs/contents.ts';
import { defaultCache, unpackPackages } from '../../initramfs/packages.ts';

export const debianPackages = (): Promise<string> =>
  unpackPackages(
    {
      suite: 'trixie',
      mirror: undefined,
      architecture: 'amd64',
      packages: [ARCHITECTURES.amd64.kernelPackage, ...PACKAGES],
    },
    defaultCache(process.env),
    false,
  );

export const newPublicKey = (): string =>
  formatPublicKey(
    generateKey((length) => randomBytes(length)),
    'stage-1 test',
  );

export interface Boot {
  readonly kernel: string;
  readonly initrd: string;
  readonly cmdline: string;
  readonly memoryMiB: number;
  readonly devices: readonly string[];
  readonly deadlineMs: number;
}

export interface BootResult {
  /** QEMU's exit status, or undefined if the deadline ended it. */
  readonly status: number | undefined;
  /** The serial console, line ends as \n. */
  readonly console: string;
}

/**
 * Boots under emulation (KVM hangs on some hosts, and a slow machine shows more) until QEMU exits: -no-reboot makes
 * the guest's reboot an exit.
 */
export async function bootMachine(boot: Boot): Promise<BootResult> {
  const child: ChildProcess = spawn(
    'qemu-system-x86_64',
    [
      ...[
        '-accel',
        'tcg,thread=multi',
        '-machine',
        'q35',
        '-cpu',
        'max',
        '-smp',
        '2',
        '-m',
        `${boot.memoryMiB}`,
      ],
      ...['-display', 'none', '-nodefaults', '-no-reboot', '-serial', 'stdio'],
      ...['-kernel', boot.kernel, '-initrd', boot.initrd, '-append', boot.cmdline, ...boot.devices],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const output: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => output.push(chunk));
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const timer = setTimeout(kill, boot.deadlineMs);
  try {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code ?? undefined));
    });
    return { status, console: Buffer.concat(output).toString('utf8').replaceAll('\r', '') };
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
  }
}
