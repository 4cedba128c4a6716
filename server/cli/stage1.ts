/** `swarmboot stage1 install` */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { ARCHES, type Arch } from '../../contract/manifest.ts';
import { stage1Directory } from '../catalog/layout.ts';
import { installStage1 } from '../stage1/install-stage1.ts';
import { configOption, stateOption } from './options.ts';

/** Where the Debian packages swarmboot-stage1-* put what any site can use. */
export const PACKAGED_STAGE1 = '/usr/share/swarmboot/stage1';

interface Options {
  readonly arch: Arch;
  readonly from: string | undefined;
  readonly state: string;
  readonly config: string;
}

async function install(options: Options): Promise<void> {
  const into = stage1Directory(options.state, options.arch);
  const from = options.from ?? join(PACKAGED_STAGE1, options.arch);
  const bytes = await installStage1({ from, into, config: options.config });
  console.log(
    `swarmboot: ${into} has this site's stage-1, ${(bytes / 2 ** 20).toFixed(1)} MiB for each machine`,
  );
}

export function stage1Command(): Command {
  const stage1 = new Command('stage1').description('what machines run before the real system');
  stage1
    .command('install')
    .description("put this site's public key into the stage-1 of the package, for machines to boot")
    .addOption(new Option('--arch <ARCH>', 'architecture of the machines').choices(ARCHES).default('amd64'))
    .option('--from <DIR>', `folder with a keyless stage-1 (default: ${PACKAGED_STAGE1}/ARCH)`)
    .addOption(stateOption())
    .addOption(configOption())
    .action(install);
  return stage1;
}
