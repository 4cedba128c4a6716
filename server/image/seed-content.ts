/**
 * The seeder inside an image: what the Debian package swarmboot-seed will consist of, put into a built root.
 *
 *   /usr/lib/swarmboot/swarmboot-agent              the single-file agent of stage-1
 *   /usr/lib/systemd/system/swarmboot-seed.service  and its link in multi-user.target.wants
 *   /usr/bin/swarmboot-seed                         status, off, on
 *   /etc/swarmboot/seed.conf                        limits
 *
 * A built root is kept without it: the agent changes more often than Debian, and to install Debian again takes longer
 * than to pack the root again.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, link, mkdir, open, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Arch } from '../../contract/manifest.ts';
import { RELEASE_FILES } from '../catalog/layout.ts';
import { Failure } from '../failure.ts';
import { type BuildContext, packRoot } from './root-file-system.ts';
import { runProgram } from './run-program.ts';

const SOURCES = join(import.meta.dirname, 'seed');
const UNIT = 'swarmboot-seed.service';
const UNPACK_TIMEOUT_MS = 10 * 60_000;

interface SeedFile {
  /** In the root, without leading slash. */
  readonly path: string;
  readonly source: string;
  readonly mode: number;
}

/** Every file of the seeder; `agent`: path of the single-file agent. */
export const seedFiles = (agent: string): readonly SeedFile[] => [
  { path: 'usr/lib/swarmboot/swarmboot-agent', source: agent, mode: 0o755 },
  { path: `usr/lib/systemd/system/${UNIT}`, source: join(SOURCES, UNIT), mode: 0o644 },
  { path: 'usr/bin/swarmboot-seed', source: join(SOURCES, 'swarmboot-seed'), mode: 0o755 },
  { path: 'etc/swarmboot/seed.conf', source: join(SOURCES, 'seed.conf'), mode: 0o644 },
];

/** What the agent is linked with beyond a minimal Debian: the Depends: of the package. */
export const SEED_PACKAGES: readonly string[] = ['libatomic1', 'libstdc++6'];

const WANTS = `etc/systemd/system/multi-user.target.wants/${UNIT}`;

/** Where scripts/build-agent puts it, below a checkout. */
const BUILT_AGENTS: Readonly<Record<Arch, string>> = {
  amd64: 'dist/swarmboot-agent',
  arm64: 'dist/arm64/swarmboot-agent',
};
/** e_machine of elf(5). */
const ELF_MACHINES: Readonly<Record<Arch, number>> = { amd64: 62, arm64: 183 };

async function isAgentFor(arch: Arch, path: string): Promise<boolean> {
  await using file = await open(path, 'r').catch(() => undefined);
  const head = Buffer.alloc(20);
  await file?.read(head, 0, head.length, 0);
  return head.toString('latin1', 0, 4) === '\x7fELF' && head.readUInt16LE(18) === ELF_MACHINES[arch];
}

/** Where an agent for `arch` is: in a checkout, else where the package puts it. undefined: nowhere. */
export async function findAgent(arch: Arch): Promise<string | undefined> {
  const paths = [
    join(import.meta.dirname, '../..', BUILT_AGENTS[arch]),
    '/usr/lib/swarmboot/swarmboot-agent',
  ];
  for (const path of paths) {
    if (await isAgentFor(arch, path)) return path;
  }
  return undefined;
}

/** Part of the cache key of a root with the seeder in it. */
export async function seederKey(agent: string): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, source, mode } of seedFiles(agent)) {
    hash.update(`${path} ${mode}\n`);
    for await (const chunk of createReadStream(source)) hash.update(chunk as Buffer);
  }
  return hash.digest('hex').slice(0, 32);
}

/** Puts the seeder into the root file system at `root`. */
export async function installSeeder(root: string, agent: string): Promise<void> {
  for (const { path, source, mode } of seedFiles(agent)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target);
    await chmod(target, mode);
  }
  await mkdir(dirname(join(root, WANTS)), { recursive: true });
  await rm(join(root, WANTS), { force: true });
  await symlink(`/usr/lib/systemd/system/${UNIT}`, join(root, WANTS));
}

/** Fills `folder` with the image files of `built`, the seeder in its root. Needs root. Throws `Failure`. */
export async function buildWithSeeder(
  built: string,
  agent: string,
  folder: string,
  context: BuildContext,
): Promise<void> {
  const magic = (await readFile(agent).catch(() => Buffer.alloc(0))).subarray(0, 4);
  if (magic.toString('latin1') !== '\x7fELF')
    throw new Failure('bad-option', `${agent} is not the agent; build it with scripts/build-agent`);
  for (const name of [RELEASE_FILES.kernel, RELEASE_FILES.initrd]) {
    await link(join(built, name), join(folder, name)).catch(() =>
      copyFile(join(built, name), join(folder, name)),
    );
  }
  const root = join(folder, 'root');
  try {
    context.say('Adding the seeder, so that booted machines go on giving');
    await runProgram('unsquashfs', ['-no-progress', '-d', root, join(built, RELEASE_FILES.root)], {
      timeoutMs: UNPACK_TIMEOUT_MS,
      debianPackage: 'squashfs-tools',
      ...(context.signal ? { signal: context.signal } : {}),
    });
    await installSeeder(root, agent);
    await packRoot(root, join(folder, RELEASE_FILES.root), context);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
