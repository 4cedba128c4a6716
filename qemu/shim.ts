/** Debian's shim and network GRUB for the lab: of Debian 13, whatever runs here, for only its signed GRUB has HTTP. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
/** They bring 30 MB of packages with them, from a mirror that may be slow. */
const UNPACK_TIMEOUT_MS = 600_000;

/** The root folder of an unpacked Debian that has them. */
export async function shimRoot(): Promise<string> {
  const { stdout } = await run(
    join(ROOT, 'scripts/unpack-debian'),
    ['--suite', 'trixie', '--cache', join(ROOT, '.cache'), 'shim-signed', 'grub-efi-amd64-signed'],
    { timeout: UNPACK_TIMEOUT_MS },
  );
  return stdout.trim();
}
