/**
 * `scripts/unpack-debian`: packages of any Debian suite and architecture as a folder, for what this machine's own Debian
 * does not have: a GRUB that loads over HTTP, boot programs for ARM64.
 */
import { parseArgs } from 'node:util';
import { defaultCache, unpackPackages } from './packages.ts';

const USAGE = `Usage: scripts/unpack-debian [options] PACKAGE...
Unpacks the packages and what they depend on, checked by Debian's signatures, and prints the folder.
  --suite NAME    Debian suite (trixie)
  --arch NAME     architecture (amd64)
  --mirror URL    Debian mirror (mmdebstrap's default)
  --cache DIR     where (\${SWARMBOOT_CACHE:-~/.cache/swarmboot})
  --refresh       unpack them anew`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    suite: { type: 'string', default: 'trixie' },
    arch: { type: 'string', default: 'amd64' },
    mirror: { type: 'string' },
    cache: { type: 'string', default: defaultCache(process.env) },
    refresh: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || positionals.length === 0) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  const { suite, mirror, arch: architecture } = values;
  try {
    const source = { suite, mirror, architecture, packages: positionals };
    console.log(await unpackPackages(source, values.cache, values.refresh));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
