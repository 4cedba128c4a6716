/** Every whole release on disk, for listings. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest } from '../../contract/manifest.ts';
import { MANIFEST_NAME, releaseDirectory } from './layout.ts';
import { currentVersion, listImages, listVersions } from './release-folders.ts';

export interface ListedRelease {
  readonly name: string;
  readonly version: string;
  readonly current: boolean;
  readonly arch: string;
  readonly kernelRelease: string;
  /** All files of the release, in bytes. */
  readonly imageBytes: number;
  readonly created: string;
  readonly expires: string;
  readonly strategies: readonly string[];
  readonly infohashV1: string;
  readonly infohashV2: string;
}

/** Sorted by image, then oldest version first. */
export async function listReleases(state: string): Promise<ListedRelease[]> {
  const releases: ListedRelease[] = [];
  for (const name of await listImages(state)) {
    const current = await currentVersion(state, name);
    for (const version of await listVersions(state, name)) {
      const manifest = parseManifest(
        await readFile(join(releaseDirectory(state, name, version), MANIFEST_NAME)),
      );
      releases.push({
        name,
        version,
        current: version === current,
        arch: manifest.arch,
        kernelRelease: manifest.kernelRelease,
        imageBytes: manifest.files.reduce((sum, file) => sum + file.length, 0),
        created: manifest.created,
        expires: manifest.expires,
        strategies: manifest.strategies,
        infohashV1: manifest.torrent.infohashV1,
        infohashV2: manifest.torrent.infohashV2,
      });
    }
  }
  return releases;
}
