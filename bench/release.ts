/** A signed release as the agent wants it: manifest, signature, metainfo and key in one folder. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FileRole, type Manifest, serializeManifest } from '../contract/manifest.ts';
import { METAINFO_NAME, SIGNATURE_SUFFIX } from '../contract/paths.ts';
import { formatPublicKey, generateKey, signBytes } from '../contract/signify.ts';
import { createMetainfo, parseMetainfo } from '../torrent/index.ts';
import { digestOf } from './digest.ts';

const ROLES: readonly (readonly [string, FileRole])[] = [
  ['vmlinuz', 'kernel'],
  ['initrd.img', 'initrd'],
  ['root.squashfs', 'root'],
];
const DAY_MS = 86_400_000;

export const MANIFEST_NAME = 'manifest.json';
export const KEY_NAME = 'release.pub';

const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Publishes the files of `source` in `target` for a day, signed with a new key; returns the .torrent. */
export async function writeRelease(source: string, target: string, pieceLength: number): Promise<string> {
  const files = ROLES.map(([path, role]) => ({ path, role, source: join(source, path) }));
  const torrent = await createMetainfo({ name: 'release', files, pieceLength, announce: [] });
  const { infohashV1, infohashV2 } = parseMetainfo(torrent);
  const manifest: Manifest = {
    format: 1,
    name: 'bench',
    version: '1',
    arch: 'amd64',
    created: timestamp(Date.now() - DAY_MS),
    expires: timestamp(Date.now() + DAY_MS),
    torrent: {
      infohashV1: infohashV1?.toString('hex') ?? '',
      infohashV2: infohashV2?.toString('hex') ?? '',
      pieceLength,
    },
    files: await Promise.all(
      files.map(async ({ path, role, source: file }) => ({
        path,
        role,
        length: statSync(file).size,
        sha256: await digestOf(file),
      })),
    ),
    cmdline: '',
    kernelRelease: '6.12.0-bench',
    strategies: ['cpio'],
    minimumMemoryBytes: 0,
  };
  const key = generateKey(randomBytes);
  const bytes = serializeManifest(manifest);
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, MANIFEST_NAME), bytes);
  writeFileSync(join(target, MANIFEST_NAME + SIGNATURE_SUFFIX), signBytes(key, bytes, 'bench'));
  writeFileSync(join(target, KEY_NAME), formatPublicKey(key, 'bench'));
  writeFileSync(join(target, METAINFO_NAME), torrent);
  return join(target, METAINFO_NAME);
}
