/** Which versions of an image are on disk, which one machines get, and how that changes. */
import { mkdtemp, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemCode } from '../failure.ts';
import { CURRENT_LINK, imageDirectory, imagesDirectory, isName, releaseDirectory } from './layout.ts';
import { compareVersions } from './version.ts';

/** Folders in the making; no reader looks at a name that begins with a dot. */
export const TEMPORARY_PREFIX = '.new-';

/** Flushes a file or folder to the disk. */
export async function flush(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

const namesOfFolders = async (path: string): Promise<string[]> => {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory() && isName(entry.name)).map((entry) => entry.name);
};

/** Names of the images, sorted. */
export const listImages = async (state: string): Promise<string[]> =>
  (await namesOfFolders(imagesDirectory(state))).sort();

/** Versions of an image that are whole, oldest first. */
export async function listVersions(state: string, name: string): Promise<string[]> {
  return (await namesOfFolders(imageDirectory(state, name))).sort(compareVersions);
}

/** The version that machines get now, or undefined. */
export async function currentVersion(state: string, name: string): Promise<string | undefined> {
  try {
    const version = basename(await readlink(join(imageDirectory(state, name), CURRENT_LINK)));
    return isName(version) ? version : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EINVAL') return undefined;
    throw error;
  }
}

/** Makes `version` the one that machines get. */
export async function pointCurrent(state: string, name: string, version: string): Promise<void> {
  const image = imageDirectory(state, name);
  const temporary = await mkdtemp(join(image, TEMPORARY_PREFIX));
  try {
    await symlink(version, join(temporary, CURRENT_LINK));
    await rename(join(temporary, CURRENT_LINK), join(image, CURRENT_LINK)); // atomic, rename(2)
    await flush(image);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes all but the newest `keep` versions; never the current one. */
export async function pruneVersions(state: string, name: string, keep: number): Promise<string[]> {
  const current = await currentVersion(state, name);
  const old = (await listVersions(state, name)).slice(0, -keep).filter((version) => version !== current);
  for (const version of old) {
    // Out of the way first: a reader finds the folder whole or not at all.
    const hidden = join(imageDirectory(state, name), `${TEMPORARY_PREFIX}old-${version}`);
    await rename(releaseDirectory(state, name, version), hidden);
    await rm(hidden, { recursive: true, force: true });
  }
  return old;
}
