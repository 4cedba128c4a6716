/** From kernel, initrd and root squashfs, wherever they come from, to a published release. */
import { constants, createReadStream, createWriteStream } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Arch, kernelRetainsInitrd, STRATEGIES, type Strategy } from '../../contract/manifest.ts';
import { loadSecretKey } from '../catalog/keys.ts';
import { RELEASE_FILES } from '../catalog/layout.ts';
import { type Published, publishRelease } from '../catalog/publish.ts';
import { pruneVersions } from '../catalog/release-folders.ts';
import { Failure } from '../failure.ts';
import { buildBootCpio } from './boot-cpio.ts';
import { linkOrCopy } from './build-cache.ts';
import { KERNEL_HEAD_BYTES, readKernelImage } from './kernel-image.ts';
import { readImageModules } from './modules.ts';
import { checkSquashfs, listSquashfs } from './squashfs.ts';
import { sealRoot } from './verity.ts';

/** The serial port that firmware talks on: a PC's first, or the UART that Arm's SBSA asks of servers. */
const SERIAL: Readonly<Record<Arch, string>> = { amd64: 'ttyS0', arm64: 'ttyAMA0' };

/**
 * For Debian Live: live-config does its work where `boot=live` is, and all of it with `components` (live-config(7)).
 * initramfs-tools takes the last boot=, which is the handoff's.
 */
const LIVE_CMDLINE = 'boot=live components ';

/**
 * Both consoles get a login; a kernel or initramfs that gives up reboots after 30 seconds instead of hanging (dracut, at
 * once: dracut.cmdline(7)).
 */
export const defaultCmdline = (arch: Arch, isLive: boolean): string =>
  `${isLive ? LIVE_CMDLINE : ''}console=tty0 console=${SERIAL[arch]},115200 panic=30 rd.shell=0 rd.emergency=reboot`;

export interface ImageSource {
  readonly kernel: string;
  readonly initrd: string;
  readonly root: string;
  /** Whether `root` may be shared with the release by a hard link: its owner promises never to write to it. */
  readonly shareRoot: boolean;
  /** Whether the tree of dm-verity is put behind it where the image can use one; then it is copied, never shared. */
  readonly seal: boolean;
}

export interface PublishOptions {
  readonly name: string;
  /** Of the real system's kernel; undefined takes `defaultCmdline`. */
  readonly cmdline: string | undefined;
  readonly expiresDays: number;
  /** What the kernel must be for; undefined takes what it is. */
  readonly arch: Arch | undefined;
  readonly state: string;
  readonly config: string;
  /** How many versions of the image stay on disk. */
  readonly keep: number;
}

async function readHead(path: string, lengthBytes: number): Promise<Buffer> {
  await using file = await open(path, 'r').catch((cause: Error) => {
    throw new Failure('bad-image', `Cannot read ${path}: ${cause.message}`, { cause });
  });
  const buffer = Buffer.alloc(lengthBytes);
  const { bytesRead } = await file.read(buffer, 0, lengthBytes, 0);
  return buffer.subarray(0, bytesRead);
}

/** Magic numbers of what the kernel unpacks: lib/decompress.c, and "newc" cpio. */
const INITRD_MAGICS = [
  '1f8b',
  '28b52ffd',
  'fd377a58',
  '5d0000',
  '425a68',
  '02214c18',
  '04224d18',
  '894c5a4f',
  '303730373031',
  '303730373032',
];

async function checkInitrd(path: string): Promise<void> {
  const head = (await readHead(path, 6)).toString('hex');
  if (!INITRD_MAGICS.some((magic) => head.startsWith(magic))) {
    throw new Failure(
      'bad-image',
      `${path} is not an initramfs: it begins with ${head || 'nothing'}, which the kernel cannot unpack`,
    );
  }
}

/** Whether the image configures itself at boot as Debian Live does. */
async function hasLiveConfig(root: string, signal: AbortSignal | undefined): Promise<boolean> {
  const folder = 'usr/lib/live/config';
  // unsquashfs lists the folders on the way to one that is not there.
  return (await listSquashfs(root, folder, signal)).some((path) => path.startsWith(`${folder}/`));
}

/** [boot archive][the image's own initrd]; the archive's length is a multiple of 4, see contract/cpio.ts. */
async function joinInitrd(archive: Buffer, initrd: string, target: string): Promise<void> {
  const output = createWriteStream(target, { flags: 'wx', mode: 0o644 });
  async function* bytes() {
    yield archive;
    yield* createReadStream(initrd, { highWaterMark: 1024 * 1024 });
  }
  await pipeline(Readable.from(bytes(), { objectMode: false }), output);
}

const strategiesOf = (pmem: boolean, kernelRelease: string): Strategy[] =>
  STRATEGIES.filter((strategy) => {
    if (strategy === 'pmem') return pmem;
    return strategy === 'cpio' || kernelRetainsInitrd(kernelRelease);
  });

/**
 * Checks the three files against each other, puts the boot archive in front of the initrd, and publishes.
 * Throws `Failure` `bad-image` or `missing-key`, or what the disk says.
 */
export async function publishImage(
  source: ImageSource,
  options: PublishOptions,
  say: (sentence: string) => void,
  signal: AbortSignal | undefined,
): Promise<Published> {
  const key = loadSecretKey(options.config);
  const kernel = readKernelImage(await readHead(source.kernel, KERNEL_HEAD_BYTES), source.kernel);
  if (options.arch !== undefined && options.arch !== kernel.arch) {
    throw new Failure('bad-image', `${source.kernel} is for ${kernel.arch}, but --arch says ${options.arch}`);
  }
  await checkInitrd(source.initrd);
  const squashfsBytes = await checkSquashfs(source.root);
  say('Reading the kernel modules of the image');
  const { release, modules, pmem, verity } = await readImageModules(source.root, kernel.release, signal);
  const archive = buildBootCpio(modules);
  say(`Boot archive: ${modules.map((module) => module.name).join(' ')}, ${archive.length} bytes`);
  if (!pmem)
    say('The kernel has no nd_e820 and nd_pmem: machines will need about three times the image in RAM');
  const sealed = source.seal && verity;
  if (!sealed) {
    const why = verity ? 'it is shared as it is' : 'the image lacks dmsetup or dm-verity';
    say(`Machines cannot check its root while it runs (swarmboot.verity=on): ${why}`);
  }
  const cmdline = options.cmdline ?? defaultCmdline(kernel.arch, await hasLiveConfig(source.root, signal));
  say(`Kernel command line: ${cmdline}`);
  say('Hashing and signing');
  const published = await publishRelease(
    options.state,
    {
      name: options.name,
      arch: kernel.arch,
      kernelRelease: release,
      cmdline,
      strategies: strategiesOf(pmem, release),
      expiresDays: options.expiresDays,
      place: async (folder) => {
        await copyFile(source.kernel, join(folder, RELEASE_FILES.kernel));
        await joinInitrd(archive, source.initrd, join(folder, RELEASE_FILES.initrd));
        const root = join(folder, RELEASE_FILES.root);
        if (source.shareRoot && !sealed) await linkOrCopy(source.root, root, copyFile);
        else await copyFile(source.root, root, constants.COPYFILE_FICLONE);
      },
      seal: sealed ? (root) => sealRoot(root, squashfsBytes, signal) : undefined,
    },
    key,
    Date.now(),
  );
  for (const version of await pruneVersions(options.state, options.name, options.keep)) {
    say(`Removed the old version ${version}`);
  }
  const { files } = published.manifest;
  for (const file of files) say(`${file.path}: ${(file.length / 1024 ** 2).toFixed(1)} MiB`);
  say(`Published ${options.name} ${published.manifest.version} in ${published.directory}`);
  return published;
}
