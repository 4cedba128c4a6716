/** `swarmboot group list | add | rename | remove` */
import { Command } from 'commander';
import { withSite } from '../site.ts';
import { stateOption } from './options.ts';
import { printList, tableText } from './table.ts';

const say = (sentence: string): void => console.log(`swarmboot: ${sentence}`);
interface Options {
  readonly state: string;
}

function list({ state, json }: Options & { json: boolean }): void {
  withSite(state, (site) => {
    const groups = site.groups.list().map((group) => ({
      ...group,
      image: site.assignments.get({ scope: 'group', key: group.name })?.image ?? null,
    }));
    printList(
      json,
      groups,
      (items) =>
        tableText(
          ['GROUP', 'MACHINES', 'IMAGE'],
          items.map(({ name, machines, image }) => [name, String(machines), image ?? undefined]),
        ),
      'There is no group yet; make one with "swarmboot group add NAME"',
    );
  });
}

export function groupCommand(): Command {
  const group = new Command('group').description('groups of machines, usually rooms');
  group
    .command('list')
    .description('list groups, how many machines they have, and what is assigned to them')
    .addOption(stateOption())
    .option('--json', 'print JSON', false)
    .action(list);
  group
    .command('add')
    .argument('<NAME>', 'letters, digits and . _ -')
    .description('make a group')
    .addOption(stateOption())
    .action((name: string, { state }: Options) => {
      withSite(state, (site) => site.groups.add(name, Date.now()));
      say(`Group ${name} is there; put machines into it with "swarmboot machine group MACHINE ${name}"`);
    });
  group
    .command('rename')
    .argument('<NAME>', 'group')
    .argument('<TO>', 'new name')
    .description('rename a group; its machines and what is assigned to it stay')
    .addOption(stateOption())
    .action((name: string, to: string, { state }: Options) => {
      withSite(state, (site) => site.groups.rename(name, to));
      say(`Group ${name} is called ${to}`);
    });
  group
    .command('remove')
    .argument('<NAME>', 'group')
    .description('remove a group and what is assigned to it; its machines stay, without a group')
    .addOption(stateOption())
    .action((name: string, { state }: Options) => {
      withSite(state, (site) => site.groups.remove(name));
      say(`Group ${name} is removed`);
    });
  return group;
}
