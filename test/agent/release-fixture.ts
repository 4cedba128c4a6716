/** A small but real release: files, hybrid torrent, manifest, signature; served over HTTP on loopback. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FILE_ROLES, type Manifest, serializeManifest } from '../../contract/manifest.ts';
import { formatPublicKey, generateKey, type SecretKey, signBytes } from '../../contract/signify.ts';
import { createMetainfo, type Metainfo, parseMetainfo } from '../../torrent/index.ts';
import { type HttpFixture, serve } from './http-fixture.ts';

export const PIECE_BYTES = 65536;
const NAMES = { kernel: 'vmlinuz', initrd: 'initrd.img', root: 'root.squashfs' } as const;

export interface ReleaseFixture {
  /** Holds the files, `image.torrent`, `manifest.json` with `.sig`, `release.pub`. */
  readonly folder: string;
  readonly key: SecretKey;
  readonly manifest: Manifest;
  readonly metainfo: Metainfo;
  readonly metainfoBytes: Buffer;
}

export interface ReleaseOptions {
  readonly lengths?: { readonly kernel: number; readonly initrd: number; readonly root: number };
  /** In bytes; `PIECE_BYTES` if not given. */
  readonly pieceLength?: number;
  /** Changes the manifest before it is signed. */
  readonly change?: (manifest: Manifest) => Manifest;
}

export async function makeRelease(
  context: TestContext,
  options: ReleaseOptions = {},
): Promise<ReleaseFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-release-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const lengths = options.lengths ?? { kernel: 100_000, initrd: 200_001, root: 1_000_003 };
  const pieceLength = options.pieceLength ?? PIECE_BYTES;
  const files = FILE_ROLES.map((role) => {
    const bytes = randomBytes(lengths[role]);
    writeFileSync(join(folder, NAMES[role]), bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { path: NAMES[role], role, length: bytes.length, sha256 };
  });
  const metainfoBytes = await createMetainfo({
    name: 'debian-test-1',
    files: files.map(({ path }) => ({ path, source: join(folder, path) })),
    pieceLength,
  });
  const metainfo = parseMetainfo(metainfoBytes);
  const honest: Manifest = {
    format: 1,
    name: 'debian-test',
    version: '1',
    arch: 'amd64',
    created: '2026-02-01T00:00:00Z',
    expires: '2099-01-01T00:00:00Z',
    torrent: {
      infohashV1: metainfo.infohashV1?.toString('hex') ?? '',
      infohashV2: metainfo.infohashV2?.toString('hex') ?? '',
      pieceLength,
    },
    files,
    cmdline: 'console=ttyS0',
    kernelRelease: '6.12.48+deb13-amd64',
    strategies: ['pmem', 'retain', 'cpio'],
    minimumMemoryBytes: 1024,
  };
  const manifest = options.change ? options.change(honest) : honest;
  const key = generateKey(randomBytes);
  const bytes = serializeManifest(manifest);
  writeFileSync(join(folder, 'manifest.json'), bytes);
  writeFileSync(join(folder, 'manifest.json.sig'), signBytes(key, bytes, 'test'));
  writeFileSync(join(folder, 'image.torrent'), metainfoBytes);
  writeFileSync(join(folder, 'release.pub'), formatPublicKey(key, 'test'));
  return { folder, key, manifest, metainfo, metainfoBytes };
}

export interface ServedRelease extends ReleaseFixture {
  readonly server: HttpFixture;
  readonly manifestUrl: string;
}

const BASE = '/images/debian-test';

/** Serves manifest, signature and metainfo; the image's files only with `files`. */
export async function serveRelease(
  context: TestContext,
  options: ReleaseOptions & { readonly files?: boolean } = {},
): Promise<ServedRelease> {
  const release = await makeRelease(context, options);
  const server = await serve(context);
  for (const name of ['manifest.json', 'manifest.json.sig', 'image.torrent']) {
    server.reply(`${BASE}/${name}`, readFileSync(join(release.folder, name)));
  }
  for (const { path } of options.files ? release.manifest.files : []) {
    const bytes = readFileSync(join(release.folder, path));
    server.handle(`${BASE}/files/${release.metainfo.name}/${path}`, (request, response) => {
      const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
      if (!range) return void response.end(bytes);
      const from = Number(range[1]);
      const to = Math.min(bytes.length - 1, range[2] ? Number(range[2]) : bytes.length - 1);
      const headers = {
        'content-range': `bytes ${from}-${to}/${bytes.length}`,
        'content-length': to - from + 1,
      };
      response.writeHead(206, headers).end(bytes.subarray(from, to + 1));
    });
  }
  return { ...release, server, manifestUrl: `${server.url}${BASE}/manifest.json` };
}
