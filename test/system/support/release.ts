/** A signed release of a test image as a boot server would serve it, and an HTTP server that can be made hostile. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type FileRole, type Manifest, serializeManifest } from '../../../contract/manifest.ts';
import { formatPublicKey, generateKey, type SecretKey, signBytes } from '../../../contract/signify.ts';
import { type Endpoint, withOuterKeys } from '../../../torrent/index.ts';
import { imagePath, type TestImage } from './image.ts';

const ROLES: Readonly<Record<string, FileRole>> = {
  vmlinuz: 'kernel',
  'initrd.img': 'initrd',
  'root.squashfs': 'root',
};
const DAY_MS = 86_400_000;
const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** A manifest of the image that is valid today; `changes` make it something else. */
export function manifestOf(image: TestImage, changes: Partial<Manifest> = {}): Manifest {
  const { metainfo } = image;
  return {
    format: 1,
    name: 'test',
    version: '1',
    arch: 'amd64',
    created: seconds(Date.now() - DAY_MS),
    expires: seconds(Date.now() + DAY_MS),
    torrent: {
      infohashV1: metainfo.infohashV1?.toString('hex') ?? '',
      infohashV2: metainfo.infohashV2?.toString('hex') ?? '',
      pieceLength: metainfo.pieceLength,
    },
    files: image.files.map(({ path, length }) => ({
      path,
      role: ROLES[path] ?? 'root',
      length,
      sha256: createHash('sha256')
        .update(readFileSync(imagePath(image, image.directory, path)))
        .digest('hex'),
    })),
    cmdline: 'quiet',
    kernelRelease: '6.12.0-test',
    strategies: ['pmem', 'cpio'],
    minimumMemoryBytes: 0,
    ...changes,
  };
}

export interface Outer {
  readonly announce?: readonly string[];
  readonly explicitPeers?: readonly Endpoint[];
  /** Whether the metainfo names the server as webseed. */
  readonly webseed?: boolean;
}

export interface ReleaseServer {
  /** URL of the manifest. */
  readonly manifestUrl: string;
  /** Base URL of the webseed (BEP 19). */
  readonly webseedUrl: string;
  /** File of the public key that the manifest is signed with. */
  readonly keyFile: string;
  /** Bytes of image files that were sent so far, and answers with altered bytes among them. */
  readonly sent: { fileBytes: number; altered: number };
  /** What is served; a test may change it. `undefined` answers 404. */
  readonly bodies: {
    manifest: Buffer | undefined;
    signature: Buffer | undefined;
    torrent: Buffer | undefined;
  };
  /** Changes the bytes of a file before they are sent. `offset` is where in the file they are. */
  alter: ((path: string, offset: number, bytes: Buffer) => boolean) | undefined;
  /** False answers 404 for the image's files. */
  serveFiles: boolean;
  close(): Promise<void>;
}

/** Signs `manifest` with `key`. */
export const signed = (manifest: Manifest, key: SecretKey): { manifest: Buffer; signature: Buffer } => {
  const bytes = Buffer.from(serializeManifest(manifest));
  return { manifest: bytes, signature: Buffer.from(signBytes(key, bytes, 'verify with release.pub')) };
};

export async function serveRelease(
  image: TestImage,
  root: string,
  options: {
    readonly address: string;
    readonly manifest?: Manifest;
    readonly outer?: Outer;
    readonly port?: number;
  },
): Promise<ReleaseServer> {
  const key = generateKey(randomBytes);
  const keyFile = join(root, 'release.pub');
  writeFileSync(keyFile, formatPublicKey(key, 'test'));
  const server = createServer((request, response) => answer(request, response)).listen(
    options.port ?? 0,
    options.address,
  );
  await once(server, 'listening');
  const base = `http://${options.address}:${(server.address() as AddressInfo).port}/images/test/`;
  const { announce = [], explicitPeers = [], webseed = true } = options.outer ?? {};
  const release: ReleaseServer = {
    manifestUrl: `${base}manifest.json`,
    webseedUrl: `${base}files/`,
    keyFile,
    sent: { fileBytes: 0, altered: 0 },
    bodies: {
      ...signed(options.manifest ?? manifestOf(image), key),
      torrent: withOuterKeys(image.metainfo, {
        announce,
        explicitPeers,
        urlList: webseed ? [`${base}files/`] : [],
      }),
    },
    alter: undefined,
    serveFiles: true,
    async close() {
      server.closeAllConnections();
      if (server.listening) {
        server.close();
        await once(server, 'close');
      }
    },
  };

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '', base).pathname;
    const fixed: Readonly<Record<string, Buffer | undefined>> = {
      '/images/test/manifest.json': release.bodies.manifest,
      '/images/test/manifest.json.sig': release.bodies.signature,
      '/images/test/image.torrent': release.bodies.torrent,
    };
    const body = fixed[path];
    if (body) {
      response.end(body);
      return;
    }
    const prefix = `/images/test/files/${image.metainfo.name}/`;
    const file = image.files.find((candidate) => path === prefix + candidate.path);
    if (file && release.serveFiles) sendFile(file.path, request, response);
    else response.writeHead(404).end();
  }

  function sendFile(path: string, request: IncomingMessage, response: ServerResponse): void {
    const whole = readFileSync(imagePath(image, image.directory, path));
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const first = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Number(range[2]) + 1 : whole.length;
    const bytes = Buffer.from(whole.subarray(first, end));
    if (release.alter?.(path, first, bytes)) release.sent.altered++;
    release.sent.fileBytes += bytes.length;
    response.writeHead(range ? 206 : 200, {
      'Content-Length': bytes.length,
      ...(range ? { 'Content-Range': `bytes ${first}-${first + bytes.length - 1}/${whole.length}` } : {}),
    });
    response.end(bytes);
  }
  return release;
}
