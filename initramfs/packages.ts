/**
 * Debian's packages, unpacked but not installed, in a folder of the cache. No root, no maintainer scripts.
 *
 * Invariant: a folder with the final name is complete. It is unpacked under another name and renamed.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { glob, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

const run = promisify(execFile);
const UNPACK_TIMEOUT_MS = 600_000;
/** Counts up when what this file does to an unpacked tree changes. */
const CACHE_FORMAT = 2;

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

/** File of an unpacked tree: which source packages it is from, as Debian's Built-Using field has it. */
export const BUILT_USING = 'built-using';

/**
 * `busybox (= 1:1.37.0-6), linux-signed-amd64 (= 6.12.1+1), ...`: the first line of each package's changelog names its
 * source (deb-changelog(5)); dpkg's own records know nothing of packages that were only extracted.
 */
async function builtUsing(tree: string): Promise<string> {
  const sources = new Set<string>();
  for await (const path of glob(join(tree, 'usr/share/doc/*/changelog{.Debian,}.gz'))) {
    const bytes = await readFile(path).catch(() => undefined); // a link to a package that is not here
    if (bytes === undefined) continue;
    const first = gunzipSync(bytes).toString('utf8', 0, 400);
    const match = /^([a-z0-9][a-z0-9+.-]+) \(([^)\s]+)\) /.exec(first); // upstream's own changelog says something else
    if (match) sources.add(`${match[1]} (= ${match[2]})`);
  }
  if (sources.size === 0) throw new Error(`Cannot find out which source packages ${tree} is from`);
  return [...sources].sort().join(', ');
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
    await writeFile(join(tree, BUILT_USING), await builtUsing(tree));
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
