/** The image of a swarm bench: one release, published for real, in every form that some engine wants it in. */
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { METAINFO_NAME } from '../../contract/paths.ts';
import { createKeyFiles, loadSecretKey } from '../../server/catalog/keys.ts';
import { MANIFEST_NAME, publicKeyPath, RELEASE_FILES, SIGNATURE_NAME } from '../../server/catalog/layout.ts';
import { publishRelease } from '../../server/catalog/publish.ts';
import { parseMetainfo, withOuterKeys } from '../../torrent/index.ts';
import { digestOf } from '../digest.ts';
import { writeNoise } from '../payload.ts';
import { createByLibtorrent } from '../peers/libtorrent.ts';

export interface Image {
  readonly lengthBytes: number;
  /** For `swarmboot serve`. */
  readonly state: string;
  readonly config: string;
  readonly key: string;
  /** Where seeds have their copy: the folder that holds the folder of the torrent's name. */
  readonly seedDirectory: string;
  readonly torrentName: string;
  /** The root image, by far the largest file, within the folder of the torrent's name. */
  readonly rootFile: string;
  readonly rootDigest: string;
  /** The release as a folder of plain files, for a plain HTTP server: its .torrent names the tracker and that server. */
  readonly plainFolder: string;
  /** The release without a word about HTTP: manifest, signature and a .torrent that names the tracker. */
  readonly manifestFile: string;
  readonly hybridTorrent: string;
  /** The same files for clients that read no hybrid torrent, with SHA-1 alone. */
  readonly v1Torrent: string;
}

/** Kernel and initrd: small, so that it is the root that is measured. */
const SMALL_FILE = 'x';

export interface ImageOptions {
  /** Empty; everything goes below it. */
  readonly root: string;
  /** Of all its files. */
  readonly lengthBytes: number;
  readonly trackerUrl: string;
  /** Base URL at which `plainFolder` will be served, without a slash at its end. */
  readonly plainUrl: string;
}

export async function makeImage({ root, lengthBytes, trackerUrl, plainUrl }: ImageOptions): Promise<Image> {
  const state = join(root, 'state');
  const config = join(root, 'config');
  createKeyFiles(config, false);
  const { directory, manifest } = await publishRelease(
    state,
    {
      ...{ name: 'bench', arch: 'amd64', kernelRelease: '6.12.0-bench', cmdline: '', expiresDays: 1 },
      strategies: ['cpio'],
      async place(folder) {
        for (const name of [RELEASE_FILES.kernel, RELEASE_FILES.initrd])
          writeFileSync(join(folder, name), SMALL_FILE);
        writeNoise(join(folder, RELEASE_FILES.root), lengthBytes - 2 * SMALL_FILE.length);
      },
    },
    loadSecretKey(config),
    Date.now(),
  );
  const metainfo = parseMetainfo(readFileSync(join(directory, METAINFO_NAME)));
  const seedDirectory = join(directory, 'files');
  const release = (folder: string, urlList: readonly string[]): string => {
    mkdirSync(folder);
    for (const name of [MANIFEST_NAME, SIGNATURE_NAME])
      copyFileSync(join(directory, name), join(folder, name));
    const bytes = withOuterKeys(metainfo, { announce: [trackerUrl], urlList, explicitPeers: [] });
    writeFileSync(join(folder, METAINFO_NAME), bytes);
    return folder;
  };
  const plainFolder = release(join(root, 'plain'), [`${plainUrl}/files/`]);
  symlinkSync(seedDirectory, join(plainFolder, 'files'));
  const local = release(join(root, 'local'), []);
  const v1Torrent = join(root, 'v1.torrent');
  createByLibtorrent({
    source: join(seedDirectory, metainfo.name),
    target: v1Torrent,
    kind: 'v1',
    pieceLength: metainfo.pieceLength,
    announce: [trackerUrl],
  });
  return {
    lengthBytes: manifest.files.reduce((sum, { length }) => sum + length, 0),
    state,
    config,
    key: publicKeyPath(config),
    seedDirectory,
    torrentName: metainfo.name,
    rootFile: RELEASE_FILES.root,
    rootDigest: await digestOf(join(seedDirectory, metainfo.name, RELEASE_FILES.root)),
    plainFolder,
    manifestFile: join(local, MANIFEST_NAME),
    hybridTorrent: join(local, METAINFO_NAME),
    v1Torrent,
  };
}
