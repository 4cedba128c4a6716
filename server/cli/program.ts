/** The tree of all commands, as commander has it: what main.ts runs, and what man pages and completion are made of. */
import { Command } from 'commander';
import { dnsmasqCommand } from './dnsmasq.ts';
import { imageCommand } from './image.ts';
import { keyCommand } from './key.ts';
import { serveCommand } from './serve.ts';
import { stage1Command } from './stage1.ts';

export function program(): Command {
  const command = new Command('swarmboot')
    .description('Boot many machines into the same Debian system over BitTorrent: the boot server')
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  for (const part of [keyCommand(), stage1Command(), imageCommand(), serveCommand(), dnsmasqCommand()]) {
    part.exitOverride().showHelpAfterError('(add --help for the options)');
    for (const child of part.commands)
      child.exitOverride().showHelpAfterError('(add --help for the options)');
    command.addCommand(part);
  }
  return command;
}
