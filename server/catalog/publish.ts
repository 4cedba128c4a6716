/**
 * Publishes a release: metainfo, manifest, signature, then one rename.
 *
 * Invariant: `images/<name>/<version>` appears whole, on disk, or not at all, and `current` always names a whole
 * release; a reader needs no lock, and a crash leaves at most a folder `.new-*` that the next publish removes.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  type Arch,
  FILE_ROLES,
  type Manifest,
  type Strategy,
  serializeManifest,
} from '../../contract/manifest.ts';
import { METAINFO_NAME } from '../../contract/paths.ts';
import { type SecretKey, signBytes } from '../../contract/signify.ts';
import { createMetainfo, parseMetainfo, pieceLengthFor } from '../../torrent/index.ts';
import { Failure, systemCode } from '../failure.ts';
import {
  imageDirectory,
  MANIFEST_NAME,
  RELEASE_FILES,
  releaseDirectory,
  SIGNATURE_NAME,
  torrentName,
} from './layout.ts';
import { flush, listVersions, pointCurrent, TEMPORARY_PREFIX } from './release-folders.ts';
import { nextVersion } from './version.ts';

/** What the running system needs beside its image, in bytes: a Debian at its login prompt, with some room. */
const WORKING_MEMORY_BYTES = 256 * 1024 * 1024;

export interface ReleaseContent {
  readonly name: string;
  readonly arch: Arch;
  readonly kernelRelease: string;
  readonly cmdline: string;
  readonly strategies: readonly Strategy[];
  readonly expiresDays: number;
  /** Places the three files (named as RELEASE_FILES has it) into the folder. */
  readonly place: (folder: string) => Promise<void>;
  /** Puts the tree of dm-verity behind the squashfs at that path; undefined: the image cannot use one. */
  readonly seal?: ((root: string) => Promise<NonNullable<Manifest['verity']>>) | undefined;
}

export interface Published {
  readonly manifest: Manifest;
  readonly directory: string;
}

async function describeFile(folder: string, role: (typeof FILE_ROLES)[number]) {
  const path = join(folder, RELEASE_FILES[role]);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return { path: RELEASE_FILES[role], role, length: (await stat(path)).size, sha256: hash.digest('hex') };
}

/** Writes and flushes, so that the rename that follows never shows an empty file after a power cut. */
async function writeDurable(path: string, bytes: Uint8Array | string): Promise<void> {
  await using file = await open(path, 'wx', 0o644);
  await file.writeFile(bytes);
  await file.sync();
}

const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

async function fillRelease(
  folder: string,
  version: string,
  content: ReleaseContent,
  key: SecretKey,
  nowMs: number,
): Promise<Manifest> {
  const torrent = torrentName(content.name, version);
  const payload = join(folder, 'files', torrent);
  await mkdir(payload, { recursive: true });
  await content.place(payload);
  const verity = await content.seal?.(join(payload, RELEASE_FILES.root));
  const files = [];
  for (const role of FILE_ROLES) {
    files.push(await describeFile(payload, role));
    await flush(join(payload, RELEASE_FILES[role]));
  }
  const bytes = await createMetainfo({
    name: torrent,
    files: files.map((file) => ({ path: file.path, source: join(payload, file.path) })),
    pieceLength: pieceLengthFor(files.reduce((sum, { length }) => sum + length, 0)),
  });
  const metainfo = parseMetainfo(bytes);
  if (!metainfo.infohashV1 || !metainfo.infohashV2) {
    throw new Failure('bad-image', 'The metainfo that was made is no hybrid; this is a defect of swarmboot');
  }
  const manifest: Manifest = {
    format: 1,
    name: content.name,
    version,
    arch: content.arch,
    created: timestamp(nowMs),
    expires: timestamp(nowMs + content.expiresDays * 86_400_000),
    torrent: {
      infohashV1: metainfo.infohashV1.toString('hex'),
      infohashV2: metainfo.infohashV2.toString('hex'),
      pieceLength: metainfo.pieceLength,
    },
    files,
    ...(verity === undefined ? {} : { verity }),
    cmdline: content.cmdline,
    kernelRelease: content.kernelRelease,
    strategies: [...content.strategies],
    minimumMemoryBytes: files.reduce((sum, file) => sum + file.length, WORKING_MEMORY_BYTES),
  };
  const manifestBytes = serializeManifest(manifest);
  await writeDurable(join(folder, METAINFO_NAME), bytes);
  await writeDurable(join(folder, MANIFEST_NAME), manifestBytes);
  await writeDurable(
    join(folder, SIGNATURE_NAME),
    signBytes(key, manifestBytes, `verify with release.pub: ${torrent}`),
  );
  return manifest;
}

/** A temporary folder this old belongs to a publish that died. */
const ABANDONED_MS = 6 * 3600 * 1000;

async function removeAbandoned(image: string, nowMs: number): Promise<void> {
  for (const entry of await readdir(image)) {
    if (!entry.startsWith(TEMPORARY_PREFIX)) continue;
    const { mtimeMs } = await stat(join(image, entry)).catch(() => ({ mtimeMs: nowMs }));
    if (nowMs - mtimeMs > ABANDONED_MS) await rm(join(image, entry), { recursive: true, force: true });
  }
}

/**
 * Publishes `content` as the next version of its image and makes it the current one.
 * `nowMs` is the wall clock in milliseconds since the epoch. Leaves nothing behind when it throws.
 */
export async function publishRelease(
  state: string,
  content: ReleaseContent,
  key: SecretKey,
  nowMs: number,
): Promise<Published> {
  const image = imageDirectory(state, content.name);
  await mkdir(image, { recursive: true });
  await removeAbandoned(image, nowMs);
  for (let attempt = 0; ; attempt++) {
    const version = nextVersion(await listVersions(state, content.name), nowMs);
    const temporary = await mkdtemp(join(image, TEMPORARY_PREFIX));
    try {
      const folder = join(temporary, version);
      await mkdir(folder, { mode: 0o755 });
      const manifest = await fillRelease(folder, version, content, key, nowMs);
      const directory = releaseDirectory(state, content.name, version);
      await rename(folder, directory);
      await pointCurrent(state, content.name, version);
      return { manifest, directory };
    } catch (error) {
      // Another publish took the version in the meantime.
      const taken = systemCode(error) === 'ENOTEMPTY' || systemCode(error) === 'EEXIST';
      if (!taken || attempt >= 3) throw error;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
}
