/**
 * `scripts/build-stage1`: unpacks Debian's packages, builds stage-1 and writes it.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ARCHES } from '../contract/manifest.ts';
import { ARCHITECTURES } from './architecture.ts';
import { PACKAGES } from './contents.ts';
import { BUILT_USING, defaultCache, unpackPackages } from './packages.ts';
import { buildStage1, GROUPS, type Stage1Report } from './stage1.ts';

const USAGE = `Usage: scripts/build-stage1 --key release.pub --out DIR [options]
       scripts/build-stage1 --no-key --out DIR [options]
Writes DIR/vmlinuz, DIR/initrd.img, DIR/report.json and DIR/built-using (Debian's source packages).
  --key FILE      public key that manifests must be signed with (swarmboot key generate)
  --no-key        for any site: "swarmboot stage1 install" puts the site's key behind it
  --agent FILE    single-file agent (dist/swarmboot-agent)
  --arch NAME     amd64 or arm64 (amd64)
  --suite NAME    Debian suite of the kernel (trixie)
  --mirror URL    Debian mirror (mmdebstrap's default)
  --cache DIR     downloads and compressed parts (\${SWARMBOOT_CACHE:-~/.cache/swarmboot})
  --refresh       unpack the packages anew
  --limit BYTES   refuse to write more than this in all`;

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function describe(report: Stage1Report): string {
  const row = (name: string, raw: number | undefined, size: number): string =>
    `${name.padEnd(10)}${(raw === undefined ? '' : mebibytes(raw)).padStart(12)}${mebibytes(size).padStart(12)}`;
  const asking = Object.keys(report.firmwareNotShipped);
  return [
    `Stage-1 with Debian's kernel ${report.kernelRelease}`,
    `${''.padEnd(10)}${'unpacked'.padStart(12)}${'sent'.padStart(12)}`,
    row('kernel', undefined, report.bytes.vmlinuz),
    ...GROUPS.map((name) => row(name, report.groups[name].rawBytes, report.groups[name].compressedBytes)),
    `${row('total', undefined, report.bytes.total)} of at most ${mebibytes(report.bytes.limit)}`,
    `${asking.length} drivers may ask for firmware that is not free and not here: ${asking.join(' ')}`,
  ].join('\n');
}

/** reproducible-builds.org/specs/source-date-epoch: seconds since 1970. */
function sourceDate(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,9}$|^[1-3]\d{9}$/.test(text))
    throw new Error(`Cannot use SOURCE_DATE_EPOCH "${text}": it takes seconds since 1970`);
  return Number(text);
}

async function readNeeded(path: string, fix: string): Promise<Buffer> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`Cannot read "${path}": ${error.code ?? error.message}; ${fix}`);
  });
}

/** Another process may be serving the old file: a rename keeps it whole. */
async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  await writeFile(partial, bytes);
  await rename(partial, path);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      key: { type: 'string' },
      'no-key': { type: 'boolean', default: false },
      out: { type: 'string' },
      agent: { type: 'string', default: join(import.meta.dirname, '../dist/swarmboot-agent') },
      arch: { type: 'string', default: 'amd64' },
      suite: { type: 'string', default: 'trixie' },
      mirror: { type: 'string' },
      cache: { type: 'string', default: defaultCache(process.env) },
      refresh: { type: 'boolean', default: false },
      limit: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || (values.key === undefined) !== values['no-key'] || values.out === undefined) {
    console.log(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const publicKey =
    values.key === undefined
      ? undefined
      : (await readNeeded(values.key, 'make a key with "swarmboot key generate"')).toString('utf8');
  const agent = await readNeeded(values.agent, 'build it with scripts/build-agent');
  const limitBytes = values.limit === undefined ? undefined : Number(values.limit);
  if (limitBytes !== undefined && !(Number.isSafeInteger(limitBytes) && limitBytes > 0))
    throw new Error(`Cannot use --limit "${values.limit}": it takes bytes`);
  const architecture = ARCHES.find((arch) => arch === values.arch);
  if (architecture === undefined)
    throw new Error(`Cannot use --arch "${values.arch}": it takes ${ARCHES.join(' or ')}`);
  const source = {
    suite: values.suite,
    mirror: values.mirror,
    architecture,
    packages: [ARCHITECTURES[architecture].kernelPackage, ...PACKAGES],
  };
  const packages = await unpackPackages(source, values.cache, values.refresh);
  const stage1 = await buildStage1({
    architecture,
    packages,
    agent,
    publicKey,
    cache: values.cache,
    mtime: sourceDate(process.env.SOURCE_DATE_EPOCH),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  });
  await mkdir(values.out, { recursive: true });
  await replaceFile(join(values.out, 'vmlinuz'), stage1.vmlinuz);
  await replaceFile(join(values.out, 'initrd.img'), stage1.initrd);
  await replaceFile(join(values.out, 'report.json'), `${JSON.stringify(stage1.report, null, 2)}\n`);
  await replaceFile(join(values.out, BUILT_USING), await readFile(join(packages, BUILT_USING)));
  console.log(describe(stage1.report));
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
