/** `swarmboot machine list | show | add | rename | group | forget` */
import { Command } from 'commander';
import type { KnownMachine } from '../machines/machine-registry.ts';
import type { Site } from '../site.ts';
import { withSite } from '../site.ts';
import { stateOption } from './options.ts';
import { isoTime, localTime, printList, tableText } from './table.ts';

const say = (sentence: string): void => console.log(`swarmboot: ${sentence}`);

interface Listing {
  readonly state: string;
  readonly json: boolean;
  readonly group?: string;
}

const machineJson = (machine: KnownMachine) => ({
  mac: machine.mac,
  name: machine.name ?? null,
  group: machine.group ?? null,
  arch: machine.arch ?? null,
  ip: machine.ip ?? null,
  firstSeen: isoTime(machine.firstSeenMs),
  lastSeen: isoTime(machine.lastSeenMs),
  memoryBytes: machine.memoryBytes ?? null,
  firmware: machine.firmware ?? null,
});

const described = ({ mac, name }: KnownMachine): string => (name === undefined ? mac : `${name} (${mac})`);

function list({ state, json, group }: Listing): void {
  withSite(state, (site) => {
    const machines = site.machines.list(group === undefined ? undefined : site.groups.find(group));
    const lastBoots = new Map(machines.map(({ mac }) => [mac, site.boots.list(mac, 1)[0]]));
    printList(
      json,
      machines.map((machine) => ({
        ...machineJson(machine),
        release: lastBoots.get(machine.mac)?.release ?? null,
      })),
      (items) =>
        tableText(
          ['GROUP', 'NAME', 'MAC', 'ARCH', 'ADDRESS', 'LAST SEEN', 'LAST BOOT'],
          items.map((item, index) => [
            ...[item.group, item.name, item.mac, item.arch, item.ip].map((cell) => cell ?? undefined),
            localTime(machines[index]?.lastSeenMs) ?? 'never',
            item.release ?? undefined,
          ]),
        ),
      'No machine is known yet; it appears when it boots, or enter it with "swarmboot machine add"',
    );
  });
}

function show(which: string, { state, json }: Listing): void {
  withSite(state, (site) => {
    const machine = site.machines.find(which);
    const boots = site.boots.list(machine.mac);
    const assigned = site.assignments.get({ scope: 'machine', key: machine.mac });
    const next = site.assignments.nextBoot(machine.mac)?.image;
    if (json) {
      const history = boots.map(({ startedMs, endedMs, ...boot }) => ({
        started: isoTime(startedMs),
        ended: isoTime(endedMs),
        tries: boot.tries,
        release: boot.release ?? null,
        reason: boot.reason,
        outcome: boot.outcome ?? null,
        detail: boot.detail ?? null,
      }));
      const fields = { ...machineJson(machine), memmap: machine.memmap, next: next ?? null, boots: history };
      console.log(JSON.stringify(fields, null, 2));
      return;
    }
    const memory =
      machine.memoryBytes === undefined ? undefined : `${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB`;
    for (const [label, value] of [
      ['MAC address', machine.mac],
      ['name', machine.name],
      ['group', machine.group],
      ['architecture', machine.arch],
      ['address', machine.ip],
      ['memory', memory],
      ['firmware', machine.firmware],
      ['first seen', localTime(machine.firstSeenMs)],
      ['last seen', localTime(machine.lastSeenMs) ?? 'never'],
      ['image', assigned?.image],
      ['next boot only', next],
    ] as const)
      if (value !== undefined) console.log(`${label.padEnd(16)}${value}`);
    if (boots.length === 0) return;
    console.log(
      tableText(
        ['BOOT', 'TRIES', 'RELEASE', 'BECAUSE OF', 'ENDED WITH'],
        boots.map((boot) => [
          localTime(boot.startedMs),
          String(boot.tries),
          boot.release,
          boot.reason,
          boot.outcome === undefined ? undefined : `${boot.outcome}: ${boot.detail ?? ''}`,
        ]),
      ),
    );
  });
}

/** Adds what the commands that change one machine share. */
const changing = (
  command: Command,
  work: (site: Site, machine: KnownMachine, args: readonly string[]) => string,
): Command =>
  command.addOption(stateOption()).action((...given: unknown[]) => {
    // commander's order: arguments, options, command
    const [which = '', ...args] = given.slice(0, -2) as string[];
    const { state } = given.at(-2) as { state: string };
    say(withSite(state, (site) => work(site, site.machines.find(which), args)));
  });

export function machineCommand(): Command {
  const machine = new Command('machine').description('machines that boot here, known by MAC address');
  machine
    .command('list')
    .description('list machines, by group')
    .option('--group <GROUP>', 'only those of one group')
    .addOption(stateOption())
    .option('--json', 'print JSON', false)
    .action(list);
  machine
    .command('show')
    .argument('<MACHINE>', 'MAC address or name')
    .description('what is known of a machine, and its last boots')
    .addOption(stateOption())
    .option('--json', 'print JSON', false)
    .action(show);
  machine
    .command('add')
    .argument('<MAC>', 'MAC address of the card that it boots from')
    .description('enter a machine before it boots for the first time')
    .option('--name <NAME>', 'what to call it')
    .option('--group <GROUP>', 'group to put it into')
    .addOption(stateOption())
    .action((mac: string, options: { state: string; name?: string; group?: string }) => {
      const added = withSite(options.state, (site) => site.machines.add(mac, options.name, options.group));
      say(`Machine ${described(added)} is entered`);
    });
  changing(
    machine
      .command('rename')
      .argument('<MACHINE>', 'MAC address or name')
      .argument('[NAME]', 'new name; without one the name is taken away')
      .description('give a machine a name'),
    (site, { mac }, [name]) => {
      site.machines.rename(mac, name);
      return name === undefined ? `Machine ${mac} has no name any more` : `Machine ${mac} is called ${name}`;
    },
  );
  changing(
    machine
      .command('group')
      .argument('<MACHINE>', 'MAC address or name')
      .argument('[GROUP]', 'group; without one the machine is taken out')
      .description('put a machine into a group'),
    (site, found, [group]) => {
      site.machines.moveToGroup(found.mac, group);
      return `Machine ${described(found)} is in ${group === undefined ? 'no group' : `group ${group}`}`;
    },
  );
  changing(
    machine
      .command('forget')
      .argument('<MACHINE>', 'MAC address or name')
      .description('forget a machine, its boots, and what is assigned to it'),
    (site, found) => {
      site.machines.forget(found.mac);
      return `Machine ${described(found)} is forgotten`;
    },
  );
  return machine;
}
