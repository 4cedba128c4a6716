/**
 * `swarmboot`, the command of the boot server. Each command's work is loaded when it is called.
 *
 * Exit status: 0 done, 1 it failed (one sentence on standard error says why and what to do), 2 wrong usage.
 */
import { Command, CommanderError } from 'commander';
import { Failure } from '../failure.ts';
import { dnsmasqCommand } from './dnsmasq.ts';
import { imageCommand } from './image.ts';
import { keyCommand } from './key.ts';
import { serveCommand } from './serve.ts';

function program(): Command {
  const command = new Command('swarmboot')
    .description('Boot many machines into the same Debian system over BitTorrent: the boot server')
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  for (const part of [keyCommand(), imageCommand(), serveCommand(), dnsmasqCommand()]) {
    part.exitOverride().showHelpAfterError('(add --help for the options)');
    for (const child of part.commands)
      child.exitOverride().showHelpAfterError('(add --help for the options)');
    command.addCommand(part);
  }
  return command;
}

try {
  await program().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has printed its help or complaint by itself
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof Failure) {
    process.stderr.write(`swarmboot: ${error.message}\n`);
    process.exitCode = error.code === 'bad-option' ? 2 : 1;
  } else {
    const { code, message, stack } = error as NodeJS.ErrnoException;
    // A system error (disk full, no permission) says enough; anything else is a defect and shows where.
    process.stderr.write(`swarmboot: ${code === undefined ? (stack ?? message) : message}\n`);
    process.exitCode = 1;
  }
}
