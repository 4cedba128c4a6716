/** `swarmboot serve` */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { stage1Complaint } from '../assignments/kernel-parameters.ts';
import { stage1Directory } from '../catalog/layout.ts';
import { Failure } from '../failure.ts';
import { parsePublicUrl } from '../http/base-url.ts';
import { createServiceNotifier } from '../service-notify.ts';
import { configOption, integer, stateOption } from './options.ts';

interface Options {
  readonly host: string;
  readonly httpPort: number;
  readonly seederPort: number;
  readonly state: string;
  readonly config: string;
  readonly image: string | undefined;
  readonly publicUrl: string | undefined;
  readonly seedRate: number | undefined;
  readonly append: readonly string[];
  readonly seed: boolean;
  readonly jsonLog: boolean;
}

function publicUrl(text: string): string {
  const url = parsePublicUrl(text);
  if (url === undefined) throw new InvalidArgumentError('It takes a URL like http://boot.example.org:7080.');
  return url;
}

function kernelParameters(text: string, previous: readonly string[] = []): string[] {
  const complaint = stage1Complaint(text);
  if (complaint !== undefined) throw new InvalidArgumentError(`${complaint}.`);
  return [...previous, text];
}

function checkHost(text: string): string {
  if (/^[A-Za-z0-9.:-]{1,253}$/.test(text)) return text;
  throw new InvalidArgumentError('It takes an address like 0.0.0.0 or ::.');
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

async function run(options: Options): Promise<void> {
  const { serve } = await import('../serve.ts');
  const { createLog } = await import('../log.ts');
  const log = createLog(options.jsonLog);
  const server = await serve({
    host: options.host,
    httpPort: options.httpPort,
    seederPort: options.seederPort,
    state: options.state,
    config: options.config,
    image: options.image,
    publicUrl: options.publicUrl,
    uploadBytesPerSecond: options.seedRate,
    append: options.append,
    seed: options.seed,
    log,
  });
  const notifier = createServiceNotifier(
    process.env,
    () => server.isAnswering(),
    (message) => log.warn(message),
  );
  const stop = Promise.withResolvers<string>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.resolve(signal));
  process.on('SIGHUP', () => server.rescan().catch((error: Error) => log.error(error.message)));

  const url = options.publicUrl ?? `http://${bracketed(options.host)}:${server.httpPort}`;
  console.log(`swarmboot: serving ${url}/ (tracker on the same port, HTTP and UDP)`);
  const releases = server.releases();
  for (const { release, seederPort } of releases) {
    const how = options.seed ? `seeding on port ${seederPort ?? 'none'}` : 'left to machines that have it';
    console.log(`swarmboot: ${release.name} ${release.version}: ${how}`);
  }
  if (releases.length === 0) {
    console.log('swarmboot: no image is published yet; make one with "swarmboot image build"');
  } else if (options.image !== undefined && releases[0]?.release.name !== options.image) {
    log.warn(`Image "${options.image}" of --image is not published; machines are told to wait for it`);
  }
  for (const { release } of releases.slice(0, 1)) {
    const stage1 = stage1Directory(options.state, release.manifest.arch);
    if (!existsSync(join(stage1, 'vmlinuz')) || !existsSync(join(stage1, 'initrd.img'))) {
      log.warn(`There is no stage-1 in ${stage1}: no machine can boot; build it with scripts/build-stage1`);
    }
  }
  notifier.ready(`Serving ${releases.length} image(s) on ${url}`);
  log.info(`Stopping after ${await stop.promise}`);
  notifier.stopping();
  notifier.close();
  await server.close();
  process.exit(0); // whatever still hangs on a dead connection ends here
}

export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'serve boot scripts, stage-1, releases, tracker and seeder until SIGTERM; SIGHUP looks for new releases',
    )
    .option('--host <ADDRESS>', 'address to listen on', checkHost, '0.0.0.0')
    .option(
      '--http-port <PORT>',
      'TCP port of HTTP, UDP port of the tracker; 0: any',
      integer(0, 65535),
      7080,
    )
    .option(
      '--seeder-port <PORT>',
      'TCP port of the first image, the next ones count up; 0: any',
      integer(0, 65535),
      6881,
    )
    .option('--image <NAME>', 'image for machines to which none is assigned (default: the first by name)')
    .option(
      '--public-url <URL>',
      'how machines reach this server (default: as they have asked for it)',
      publicUrl,
    )
    .option(
      '--seed-rate <BYTES>',
      'limit of the seeder for each image, in bytes per second',
      integer(1, 1e12),
    )
    .option(
      '--append <PARAMETERS>',
      'kernel parameters for stage-1, such as console=ttyS0,115200 or swarmboot.linger=30 ' +
        '(docs/parameters.md); may be given several times',
      kernelParameters,
      [],
    )
    .option(
      '--no-seed',
      'give no byte of an image, neither as seeder nor over HTTP: machines that run it are the only source',
    )
    .option('--json-log', 'log as JSON lines', false)
    .addOption(stateOption())
    .addOption(configOption())
    .action(async (options: Options) => {
      if (!/^[a-z0-9._-]{1,64}$/.test(options.image ?? 'x')) {
        throw new Failure('bad-option', `--image "${options.image}" is not the name of an image`);
      }
      await run(options);
    });
}
