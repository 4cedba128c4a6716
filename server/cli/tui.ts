/** `swarmboot tui` */
import { Command, InvalidArgumentError } from 'commander';
import { Failure } from '../failure.ts';
import { parsePublicUrl } from '../http/base-url.ts';
import { stateOption } from './options.ts';

function serverUrl(text: string): string {
  const url = parsePublicUrl(text);
  if (url === undefined) throw new InvalidArgumentError('It takes a URL like http://127.0.0.1:7080.');
  return url;
}

async function run({ state, server }: { state: string; server: string | undefined }): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new Failure(
      'bad-option',
      'The console needs a terminal: run "swarmboot tui" by hand, over ssh with "ssh -t". Scripts use "swarmboot machine list --json" and "swarmboot assign"',
    );
  }
  const { LiveDataSource } = await import('../tui/data-source.ts');
  const { runConsole } = await import('../tui/app.ts');
  const source = new LiveDataSource(state, server);
  try {
    await runConsole(source);
  } finally {
    source.close();
  }
}

export function tuiCommand(): Command {
  return new Command('tui')
    .description('console in the terminal: rooms, machines and their boots; choose what boots where')
    .option(
      '--server <URL>',
      'where swarmboot serve is (default: as it has noted in the database)',
      serverUrl,
    )
    .addOption(stateOption())
    .action(run);
}
