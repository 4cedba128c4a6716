/** Builds the three files of an image (kernel, initrd, root squashfs) in a folder. Needs root. */
import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Arch } from '../../contract/manifest.ts';
import { RELEASE_FILES } from '../catalog/layout.ts';
import { Failure } from '../failure.ts';
import { type ImageOptions, mmdebstrapArguments, SMALL_EXCLUDES } from './recipe.ts';
import { runProgram } from './run-program.ts';
import { REMOVED_PATHS, SSH_KEY_DROP_IN, type SystemFile, systemFiles } from './system-files.ts';

/** A slow mirror may take long; a stuck one must end. */
const BOOTSTRAP_TIMEOUT_MS = 45 * 60_000;
const SQUASHFS_TIMEOUT_MS = 20 * 60_000;
const CHROOT_TIMEOUT_MS = 120_000;

export interface BuildContext {
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal | undefined;
}

const withSignal = (context: BuildContext) => (context.signal ? { signal: context.signal } : {});

async function writeSystemFile(root: string, file: SystemFile): Promise<void> {
  const path = join(root, file.path);
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  if (file.link !== undefined) await symlink(file.link, path);
  else await writeFile(path, file.text ?? '');
}

async function inRoot(
  root: string,
  context: BuildContext,
  args: readonly string[],
  input = '',
): Promise<void> {
  await runProgram('chroot', [root, ...args], {
    timeoutMs: CHROOT_TIMEOUT_MS,
    input,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    ...withSignal(context),
  });
}

const exists = async (root: string, folder: string, name: string): Promise<boolean> =>
  (await readdir(join(root, folder)).catch((): string[] => [])).includes(name);

/** Packages run programs of theirs when they are installed; arch-test(1) tells whether this machine can. */
async function checkPrograms(arch: Arch, context: BuildContext): Promise<void> {
  const options = { timeoutMs: 10_000, ...withSignal(context) };
  await runProgram('arch-test', [arch], options).catch((error: unknown) => {
    if (!(error instanceof Failure && error.code === 'program-failed')) throw error;
    throw new Failure(
      'missing-program',
      `Programs of ${arch} do not run on this machine, and installing Debian for it needs them: ` +
        'apt-get install qemu-user-static binfmt-support',
      { cause: error },
    );
  });
}

async function kernelRelease(root: string): Promise<string> {
  const kernels = (await readdir(join(root, 'boot'))).filter((name) => name.startsWith('vmlinuz-'));
  const [kernel] = kernels;
  if (kernel === undefined || kernels.length !== 1) {
    throw new Failure('bad-image', `The image has ${kernels.length} kernels in /boot, it must have one`);
  }
  return kernel.slice('vmlinuz-'.length);
}

async function customize(root: string, options: ImageOptions, context: BuildContext): Promise<void> {
  for (const file of systemFiles(options)) await writeSystemFile(root, file);
  if (options.user !== undefined) {
    await inRoot(root, context, ['useradd', '--create-home', '--shell', '/bin/bash', options.user]);
    await inRoot(root, context, ['chpasswd'], `${options.user}:${options.password}\n`);
    if (options.include.includes('sudo')) await inRoot(root, context, ['adduser', options.user, 'sudo']);
  }
  if (await exists(root, 'usr/sbin', 'sshd')) {
    for (const name of await readdir(join(root, 'etc/ssh'))) {
      if (name.startsWith('ssh_host_')) await rm(join(root, 'etc/ssh', name));
    }
    await writeSystemFile(root, SSH_KEY_DROP_IN);
  }
  if (options.size === 'small') {
    const release = await kernelRelease(root);
    for (const folder of SMALL_EXCLUDES) {
      await rm(join(root, 'usr/lib/modules', release, 'kernel', folder), { recursive: true, force: true });
    }
    await inRoot(root, context, ['depmod', release]);
  }
  for (const path of REMOVED_PATHS) await rm(join(root, path), { force: true });
}

/** Packs the tree at `root` into the squashfs `target`; the same tree makes the same bytes. */
export async function packRoot(root: string, target: string, context: BuildContext): Promise<void> {
  context.say('Packing the root file system with mksquashfs');
  // Kernel and initrd travel beside the squashfs; a second copy in it would be 48 MB of RAM on every machine.
  await runProgram(
    'mksquashfs',
    [
      ...[root, target],
      ...['-comp', 'zstd', '-Xcompression-level', '15', '-b', '256K'],
      ...['-noappend', '-no-progress', '-reproducible', '-processors', String(availableParallelism())],
      ...['-wildcards', '-e', 'boot/vmlinuz-*', 'boot/initrd.img-*', 'boot/System.map-*', 'tmp/*', 'run/*'],
    ],
    // posix ACL attributes of /var/log/journal are unknown to squashfs; it says so and goes on.
    { timeoutMs: SQUASHFS_TIMEOUT_MS, debianPackage: 'squashfs-tools', ...withSignal(context) },
  );
}

/**
 * Fills `folder` with vmlinuz, initrd.img (the image's own, without the boot archive) and root.squashfs.
 * Throws `Failure`: `no-permission`, `missing-program`, `program-failed`, `timeout`, `bad-image`.
 */
export async function buildImageFiles(
  options: ImageOptions,
  folder: string,
  context: BuildContext,
): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Failure(
      'no-permission',
      "Building an image needs root: it makes device files and other owners' files; use sudo",
    );
  }
  // unshare would name itself, not the program that is missing.
  await runProgram('mmdebstrap', ['--version'], { timeoutMs: 10_000 });
  await runProgram('mksquashfs', ['-version'], { timeoutMs: 10_000, debianPackage: 'squashfs-tools' });
  const root = join(folder, 'root');
  try {
    await checkPrograms(options.arch, context);
    context.say(`Installing Debian ${options.suite} with mmdebstrap, which takes a minute or more`);
    // In a mount namespace of its own: whatever mmdebstrap mounts below `root` (/dev, /proc) is gone when it ends, even
    // if it is killed, and the removal below can never reach the host's own.
    await runProgram('unshare', ['--mount', '--', 'mmdebstrap', ...mmdebstrapArguments(options, root)], {
      timeoutMs: BOOTSTRAP_TIMEOUT_MS,
      onLine: (line) => line.startsWith('I: ') && context.say(`mmdebstrap: ${line.slice(3)}`),
      ...withSignal(context),
    });
    context.say('Configuring host name, network, account and consoles');
    const release = await kernelRelease(root);
    await customize(root, options, context);
    await cp(join(root, 'boot', `vmlinuz-${release}`), join(folder, RELEASE_FILES.kernel));
    await cp(join(root, 'boot', `initrd.img-${release}`), join(folder, RELEASE_FILES.initrd));
    await packRoot(root, join(folder, RELEASE_FILES.root), context);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
