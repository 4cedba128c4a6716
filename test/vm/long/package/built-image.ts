/** An image that the server of a lab builds in a moment, though it has no network: what it would make is made before. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SWARMBOOT = join(import.meta.dirname, '../../../../bin/swarmboot');
const BUILD_TIMEOUT_MS = 20 * 60_000;

/**
 * Runs `swarmboot image build` here with these options, and keeps what it built in the folder `cache` for the next run of
 * the test. Returns what `withServer` is to copy for the same options to find it there.
 */
export function buildFor(
  cache: string,
  options: readonly string[],
): readonly [from: string, to: '/var/cache/swarmboot/images'] {
  const files = mkdtempSync(join(tmpdir(), 'swarmboot-image-'));
  try {
    const argv = ['image', 'build', ...options, '--cache', cache, '--files', files];
    execFileSync(SWARMBOOT, argv, { stdio: 'pipe', timeout: BUILD_TIMEOUT_MS });
  } finally {
    rmSync(files, { recursive: true, force: true });
  }
  return [join(cache, 'images'), '/var/cache/swarmboot/images'];
}
