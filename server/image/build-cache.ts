/** Keeps built image files by recipe, so that the same recipe is built once. */
import { link, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { RELEASE_FILES } from '../catalog/layout.ts';
import { systemCode } from '../failure.ts';

/** A build older than this is not used: Debian's security updates have moved on. */
export const CACHE_AGE_LIMIT_MS = 7 * 86_400_000;
/** Builds and leftovers older than this are removed. */
const CACHE_REMOVAL_MS = 28 * 86_400_000;

/** Age in milliseconds of a whole cached build, or undefined if there is none. */
async function ageOf(folder: string, nowMs: number): Promise<number | undefined> {
  try {
    for (const name of Object.values(RELEASE_FILES)) await stat(join(folder, name));
    return Math.max(0, nowMs - (await stat(folder)).mtimeMs);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function removeOld(images: string, nowMs: number): Promise<void> {
  for (const entry of await readdir(images)) {
    const { mtimeMs } = await stat(join(images, entry)).catch(() => ({ mtimeMs: nowMs }));
    if (nowMs - mtimeMs > CACHE_REMOVAL_MS) await rm(join(images, entry), { recursive: true, force: true });
  }
}

export interface CachedBuild {
  readonly folder: string;
  /** undefined for a build that was just made. */
  readonly ageMs: number | undefined;
}

/**
 * The folder of the build with this key, made by `build` if it is not in the cache, is too old, or `refresh` is
 * asked for. `build` gets an empty folder; the entry appears whole or not at all.
 */
export async function cachedBuild(
  cache: string,
  key: string,
  options: { readonly refresh: boolean; readonly nowMs: number },
  build: (folder: string) => Promise<void>,
): Promise<CachedBuild> {
  const images = join(cache, 'images');
  const folder = join(images, key);
  const ageMs = await ageOf(folder, options.nowMs);
  if (ageMs !== undefined && ageMs < CACHE_AGE_LIMIT_MS && !options.refresh) return { folder, ageMs };
  // Not for everyone: the root image holds password hashes until it is published.
  await mkdir(images, { recursive: true, mode: 0o700 });
  await removeOld(images, options.nowMs);
  const temporary = await mkdtemp(join(images, '.new-'));
  try {
    await build(temporary);
    await utimes(temporary, options.nowMs / 1000, options.nowMs / 1000);
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder).catch((error: unknown) => {
      // Another build of the same recipe has just put its own there, which is as good.
      if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return { folder, ageMs: undefined };
}

/** Hard link where the file systems allow, so that a release of 150 MB costs nothing; `copy` otherwise. */
export async function linkOrCopy(
  from: string,
  to: string,
  copy: (from: string, to: string) => Promise<void>,
): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK'].includes(systemCode(error) ?? '')) throw error;
    await copy(from, to);
  }
}
