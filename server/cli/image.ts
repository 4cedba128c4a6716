/** `swarmboot image build | import | list` */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { ARCHES, type Arch } from '../../contract/manifest.ts';
import { loadSecretKey } from '../catalog/keys.ts';
import { checkName, RELEASE_FILES } from '../catalog/layout.ts';
import { Failure } from '../failure.ts';
import { cachedBuild, linkOrCopy } from '../image/build-cache.ts';
import { checkImageOptions, type ImageOptions, recipeKey } from '../image/recipe.ts';
import { buildImageFiles } from '../image/root-file-system.ts';
import { cacheOption, commaList, configOption, integer, interruption, stateOption } from './options.ts';

const say = (sentence: string): void => console.log(`swarmboot: ${sentence}`);

interface CommonOptions {
  readonly name: string;
  readonly cmdline: string | undefined;
  readonly expiresDays: number;
  readonly keep: number;
  readonly state: string;
  readonly config: string;
}

/** Options of every command that publishes. */
const publishing = (command: Command): Command =>
  command
    .requiredOption('--name <NAME>', 'name of the image: a-z 0-9 . _ -')
    .option(
      '--cmdline <TEXT>',
      'kernel command line of the real system (default: both consoles and a reboot when the boot fails; of Debian Live: also boot=live components)',
    )
    .option('--expires-days <N>', 'machines refuse the release after so many days', integer(1, 3650), 90)
    .option('--keep <N>', 'how many versions stay on disk', integer(1, 100), 3)
    .addOption(stateOption())
    .addOption(configOption());

/** Wrong options are told before a minute is spent on the build. */
function checkPublishing(options: CommonOptions): void {
  checkCommon(options);
  loadSecretKey(options.config);
}

function checkCommon(options: CommonOptions): void {
  checkName(options.name, '--name');
  if (options.cmdline !== undefined && !/^[\x20-\x7e]{0,1024}$/.test(options.cmdline)) {
    throw new Failure('bad-option', '--cmdline must be at most 1024 printable ASCII characters');
  }
}

interface BuildOptions extends CommonOptions {
  readonly arch: Arch;
  readonly suite: string;
  readonly hostname: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly include: readonly string[];
  readonly size: 'full' | 'small';
  readonly seed: boolean;
  readonly cache: string;
  readonly refresh: boolean;
  readonly files: string | undefined;
}

async function build(options: BuildOptions): Promise<void> {
  if (options.files === undefined) checkPublishing(options);
  else checkCommon(options);
  const { buildWithSeeder, findAgent, SEED_PACKAGES, seederKey } = await import('../image/seed-content.ts');
  const agent = options.seed ? await findAgent(options.arch) : undefined;
  if (options.seed && agent === undefined)
    throw new Failure(
      'bad-option',
      `The seeder needs the agent for ${options.arch}, which is not here: install the package swarmboot-seed (in a checkout: scripts/build-agent --arch ${options.arch}), or give --no-seed`,
    );
  const recipe: ImageOptions = {
    arch: options.arch,
    suite: options.suite,
    hostname: options.hostname ?? options.name.replaceAll(/[._]/g, '-').replace(/-+$/, ''),
    user: options.user,
    password: options.password,
    include: [...options.include, ...(agent === undefined ? [] : SEED_PACKAGES)],
    size: options.size,
  };
  checkImageOptions(recipe);
  if (recipe.user === undefined) say('No --user is given: nobody will be able to log in to this image');
  using interrupted = interruption();
  const context = { say, signal: interrupted.signal };
  await mkdir(options.cache, { recursive: true });
  const built = await cachedBuild(
    options.cache,
    recipeKey(recipe),
    { refresh: options.refresh, nowMs: Date.now() },
    (folder) => buildImageFiles(recipe, folder, context),
  );
  if (built.ageMs !== undefined) {
    const hours = (built.ageMs / 3_600_000).toFixed(1);
    say(`Taking the build of ${hours} hours ago from ${built.folder}; --refresh builds anew`);
  }
  let { folder } = built;
  if (agent !== undefined) {
    // The build is kept without the seeder: to pack it again takes a fraction of installing Debian again.
    const key = createHash('sha256')
      .update(`${recipeKey(recipe)} ${await seederKey(agent)}`)
      .digest('hex');
    const seeding = await cachedBuild(
      options.cache,
      key.slice(0, 32),
      { refresh: options.refresh, nowMs: Date.now() },
      (target) => buildWithSeeder(built.folder, agent, target, context),
    );
    folder = seeding.folder;
  }
  if (options.files === undefined) await publish(folder, options, interrupted.signal);
  else await handOut(folder, options.files);
}

/** For who publishes it otherwise: LTSP's plugin, `image import` elsewhere. */
async function handOut(folder: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const name of Object.values(RELEASE_FILES)) {
    const to = join(target, name);
    await rm(to, { force: true });
    await linkOrCopy(join(folder, name), to, copyFile);
  }
  say(`${target} has ${Object.values(RELEASE_FILES).join(', ')}; nothing is published`);
}

async function publish(folder: string, options: BuildOptions, signal: AbortSignal): Promise<void> {
  const { publishImage } = await import('../image/publish-image.ts');
  await publishImage(
    {
      kernel: join(folder, RELEASE_FILES.kernel),
      initrd: join(folder, RELEASE_FILES.initrd),
      root: join(folder, RELEASE_FILES.root),
      shareRoot: true,
      seal: true,
    },
    options,
    say,
    signal,
  );
}

interface ImportOptions extends CommonOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly root: string;
  readonly linkRoot: boolean;
  readonly arch: Arch | undefined;
}

async function importFiles(options: ImportOptions): Promise<void> {
  checkPublishing(options);
  using interrupted = interruption();
  const { publishImage } = await import('../image/publish-image.ts');
  const { kernel, initrd, root, linkRoot } = options;
  const source = { kernel, initrd, root, shareRoot: linkRoot, seal: !linkRoot };
  await publishImage(source, options, say, interrupted.signal);
}

async function list(options: { state: string; json: boolean }): Promise<void> {
  const { listReleases } = await import('../catalog/list-releases.ts');
  const releases = await listReleases(options.state);
  if (options.json) {
    console.log(JSON.stringify(releases, null, 2));
    return;
  }
  if (releases.length === 0)
    say(`No image is published in ${options.state}; make one with "swarmboot image build"`);
  for (const release of releases) {
    const mark = release.current ? '*' : ' ';
    const size = `${(release.imageBytes / 1024 ** 2).toFixed(1)} MiB`;
    console.log(
      `${mark} ${release.name} ${release.version}  ${release.arch}  Linux ${release.kernelRelease}  ${size}  expires ${release.expires}`,
    );
  }
}

export function imageCommand(): Command {
  const image = new Command('image').description('images that machines boot');
  publishing(image.command('build'))
    .description('build a Debian image with mmdebstrap and publish it (needs root)')
    .addOption(
      new Option('--arch <ARCH>', "architecture of the machines (default: this machine's own)")
        .choices(ARCHES)
        .default(process.arch === 'arm64' ? 'arm64' : 'amd64'),
    )
    .option('--suite <SUITE>', 'Debian suite', 'trixie')
    .option('--hostname <HOST>', 'host name of the machines (default: the name of the image)')
    .option('--user <NAME>', 'account that can log in')
    .option(
      '--password <TEXT>',
      'its password; everyone who can reach the server can read its hash in the image',
    )
    .option('--include <PACKAGE,...>', 'Debian packages besides the base', commaList, [])
    .addOption(
      new Option('--size <SIZE>', 'small leaves out sound, graphics and wireless modules')
        .choices(['full', 'small'])
        .default('full'),
    )
    .option(
      '--no-seed',
      'leave the seeder out, with which machines go on giving once they have booted (docs/seeding.md)',
    )
    .addOption(cacheOption())
    .option('--files <DIR>', 'put vmlinuz, initrd.img and root.squashfs there, and publish nothing')
    .option('--refresh', 'build anew even if the cache has the same recipe', false)
    .action(build);
  publishing(image.command('import'))
    .description('publish a kernel, initrd and squashfs that Debian made (initramfs-tools or dracut)')
    .requiredOption('--kernel <FILE>', 'vmlinuz')
    .requiredOption('--initrd <FILE>', 'initrd.img, unchanged')
    .requiredOption('--root <FILE>', 'squashfs of the root file system, with the modules of that kernel')
    .option(
      '--link-root',
      'share the squashfs by a hard link where that is possible: for files that are replaced, never written to',
      false,
    )
    .addOption(new Option('--arch <ARCH>', 'refuse a kernel of another architecture').choices(ARCHES))
    .action(importFiles);
  image
    .command('list')
    .description('list releases; * marks what machines get')
    .addOption(stateOption())
    .option('--json', 'print JSON', false)
    .action(list);
  return image;
}
