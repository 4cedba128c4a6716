/**
 * Debian's packages, unpacked but not installed, in a folder of the cache. No root, no maintainer scripts.
 *
 * Invariant: a folder with the final name is complete. It is unpacked under another name and renamed.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const UNPACK_TIMEOUT_MS = 600_000;
/** Counts up when what this file does to an unpacked tree changes. */
const CACHE_FORMAT = 1;

export interface PackageSource {
  /** Debian suite, such as "trixie". */
  readonly suite: string;
  /** Mirror or sources.list line; mmdebstrap's default if undefined. */
  readonly mirror: string | undefined;
  readonly architecture: string;
  readonly packages: readonly string[];
}

/** `${SWARMBOOT_CACHE}`, else `${XDG_CACHE_HOME}/swarmboot`, else `~/.cache/swarmboot`. */
export function defaultCache(environment: NodeJS.ProcessEnv): string {
  if (environment.SWARMBOOT_CACHE) return environment.SWARMBOOT_CACHE;
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'swarmboot');
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Unpacks the packages and everything they depend on, unless the cache has them; `refresh` unpacks them anew.
 * Returns the folder. Throws Error with what mmdebstrap said last.
 */
export async function unpackPackages(
  source: PackageSource,
  cache: string,
  refresh: boolean,
): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([CACHE_FORMAT, source]))
    .digest('hex')
    .slice(0, 16);
  const folder = join(cache, `packages-${source.suite}-${source.architecture}-${key}`);
  if (!refresh && (await exists(folder))) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'unpacking-'));
  try {
    const tree = join(work, 'tree');
    const options = ['--variant=extract', `--architectures=${source.architecture}`];
    const positional = [source.suite, tree, ...(source.mirror === undefined ? [] : [source.mirror])];
    await run('mmdebstrap', [...options, `--include=${source.packages.join(',')}`, ...positional], {
      timeout: UNPACK_TIMEOUT_MS,
      maxBuffer: 64 * 2 ** 20,
    }).catch((error: { code?: string; stderr?: string; message: string }) => {
      const hint = error.code === 'ENOENT' ? 'install the Debian package "mmdebstrap"' : undefined;
      const said = (error.stderr ?? '').trim().split('\n').slice(-5).join('\n');
      throw new Error(`Cannot unpack Debian packages of ${source.suite}: ${hint ?? (said || error.message)}`);
    });
    // Documentation and package lists are half of the files.
    for (const part of ['usr/share', 'var', 'tmp', 'dev'])
      await rm(join(tree, part), { recursive: true, force: true });
    if (refresh) await rm(folder, { recursive: true, force: true });
    await rename(tree, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error; // else another build was quicker
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
