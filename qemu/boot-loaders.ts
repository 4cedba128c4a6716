/**
 * Debian 13's boot loaders for the lab, whatever runs here: only its signed GRUB has HTTP, and only its ipxe is for ARM64
 * too.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MachineArch } from './machine-arguments.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
/** They bring 30 MB of packages with them, from a mirror that may be slow. */
const UNPACK_TIMEOUT_MS = 600_000;

/** The root folder of an unpacked Debian that has them. */
export async function bootLoaders(arch: MachineArch = 'amd64'): Promise<string> {
  const { stdout } = await run(
    join(ROOT, 'scripts/unpack-debian'),
    [
      ...['--suite', 'trixie', '--arch', arch, '--cache', join(ROOT, '.cache')],
      ...['ipxe', 'shim-signed', `grub-efi-${arch}-signed`],
    ],
    { timeout: UNPACK_TIMEOUT_MS },
  );
  return stdout.trim();
}
