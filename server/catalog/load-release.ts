/**
 * Reads a published release for serving.
 *
 * Invariant: a `Release` is whole and consistent: its signature is by our key, its metainfo has the infohashes that the
 * manifest names, and its files have the lengths that both name. Machines check all of this again; the server does it
 * so that the administrator hears of a damaged release before a room full of machines does.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, parseManifest } from '../../contract/manifest.ts';
import { METAINFO_NAME } from '../../contract/paths.ts';
import { type PublicKey, verifyBytes } from '../../contract/signify.ts';
import { type Metainfo, parseMetainfo } from '../../torrent/index.ts';
import { Failure } from '../failure.ts';
import { MANIFEST_NAME, releaseDirectory, SIGNATURE_NAME, torrentName } from './layout.ts';

export interface Release {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  readonly signature: Buffer;
  readonly metainfo: Metainfo;
  /** Folder with manifest.json and files/. */
  readonly directory: string;
  /** Folder with the torrent's files. */
  readonly payloadDirectory: string;
  /** All files, in bytes. */
  readonly imageBytes: number;
}

/** Throws `Failure` `bad-image` with a sentence that names the release and what is wrong with it. */
export async function loadRelease(
  state: string,
  name: string,
  version: string,
  key: PublicKey,
): Promise<Release> {
  const directory = releaseDirectory(state, name, version);
  const payloadDirectory = join(directory, 'files', torrentName(name, version));
  try {
    const manifestBytes = await readFile(join(directory, MANIFEST_NAME));
    const signature = await readFile(join(directory, SIGNATURE_NAME));
    verifyBytes(key, manifestBytes, signature.toString('latin1'));
    const manifest = parseManifest(manifestBytes);
    if (manifest.name !== name || manifest.version !== version) {
      throw new Error(`the manifest is of ${manifest.name} ${manifest.version}`);
    }
    const metainfo = parseMetainfo(await readFile(join(directory, METAINFO_NAME)));
    if (
      metainfo.infohashV1?.toString('hex') !== manifest.torrent.infohashV1 ||
      metainfo.infohashV2?.toString('hex') !== manifest.torrent.infohashV2
    ) {
      throw new Error('the metainfo has other infohashes than the manifest');
    }
    for (const file of manifest.files) {
      const { size } = await stat(join(payloadDirectory, file.path));
      if (size !== file.length) throw new Error(`${file.path} has ${size} bytes, not ${file.length}`);
    }
    return {
      ...{ name, version, manifest, manifestBytes, signature, metainfo, directory, payloadDirectory },
      imageBytes: manifest.files.reduce((sum, file) => sum + file.length, 0),
    };
  } catch (cause) {
    throw new Failure(
      'bad-image',
      `Release ${name} ${version} in ${directory} is not served: ${(cause as Error).message}`,
      { cause },
    );
  }
}
