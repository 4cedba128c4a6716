/** The tree of all commands, as commander has it: what main.ts runs, and what man pages and completion are made of. */
import { Command } from 'commander';
import { assignCommand } from './assign.ts';
import { dnsmasqCommand } from './dnsmasq.ts';
import { doctorCommand } from './doctor.ts';
import { groupCommand } from './group.ts';
import { imageCommand } from './image.ts';
import { keyCommand } from './key.ts';
import { machineCommand } from './machine.ts';
import { serveCommand } from './serve.ts';
import { setupCommand } from './setup.ts';
import { stage1Command } from './stage1.ts';
import { tuiCommand } from './tui.ts';

export function program(): Command {
  const command = new Command('swarmboot')
    .description('Boot many machines into the same Debian system over BitTorrent: the boot server')
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  const parts = [
    ...[keyCommand(), stage1Command(), imageCommand(), serveCommand(), dnsmasqCommand()],
    ...[setupCommand(), machineCommand(), groupCommand(), assignCommand(), tuiCommand(), doctorCommand()],
  ];
  for (const part of parts) {
    part.exitOverride().showHelpAfterError('(add --help for the options)');
    for (const child of part.commands)
      child.exitOverride().showHelpAfterError('(add --help for the options)');
    command.addCommand(part);
  }
  return command;
}
