/** `swarmboot doctor` */
import { Command } from 'commander';
import { DEFAULT_SNIPPET } from '../catalog/layout.ts';
import { configOption, integer, stateOption } from './options.ts';

interface Options {
  readonly state: string;
  readonly config: string;
  readonly snippet: string;
  readonly httpPort: number;
  readonly seederPort: number;
  readonly json: boolean;
}

async function run({ json, ...options }: Options): Promise<void> {
  const { examine } = await import('../doctor/checks.ts');
  const findings = await examine({ ...options, nowMs: Date.now() });
  const problems = findings.filter(({ level }) => level === 'problem').length;
  if (json) console.log(JSON.stringify(findings, null, 2));
  else {
    for (const { level, sentence, fix } of findings) {
      console.log(`${level.padEnd(8)} ${sentence}`);
      if (fix !== undefined) console.log(`         -> ${fix}`);
    }
    console.log(
      problems === 0 ? 'swarmboot: machines can boot' : `swarmboot: ${problems} problems, see above`,
    );
  }
  process.exitCode = problems === 0 ? 0 : 1;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'look for what keeps machines from booting, and say what to do; status 1 if there is something',
    )
    .option('--snippet <FILE>', "dnsmasq's configuration for netbooting", DEFAULT_SNIPPET)
    .option('--http-port <PORT>', 'HTTP and tracker port of the server', integer(1, 65535), 7080)
    .option('--seeder-port <PORT>', "port of the first image's seeder", integer(1, 65535), 6881)
    .addOption(stateOption())
    .addOption(configOption())
    .option('--json', 'print JSON', false)
    .action(run);
}
