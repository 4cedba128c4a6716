/** `swarmboot assign set | unset | list | explain | next` */
import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ARCHES, type Arch } from '../../contract/manifest.ts';
import {
  type Assignment,
  describeTarget,
  MENU_SECONDS_LIMIT,
  makeTarget,
  SCOPES,
  type Target,
} from '../assignments/assignment.ts';
import { questionOf } from '../assignments/boot-desk.ts';
import { stage1Complaint, systemComplaint } from '../assignments/kernel-parameters.ts';
import { resolve } from '../assignments/resolve.ts';
import { listReleases } from '../catalog/list-releases.ts';
import { logEvent } from '../database/event-log.ts';
import { readServerNote } from '../database/server-note.ts';
import { Failure } from '../failure.ts';
import { parseMac } from '../netboot/machine-query.ts';
import { type Site, withSite } from '../site.ts';
import { integer, stateOption } from './options.ts';
import { printList, tableText } from './table.ts';

const say = (sentence: string): void => console.log(`swarmboot: ${sentence}`);

/** What machines can get now, by name. */
async function publishedImages(state: string): Promise<{ name: string; arch: Arch }[]> {
  const releases = await listReleases(state);
  return releases.filter(({ current }) => current).map(({ name, arch }) => ({ name, arch: arch as Arch }));
}

async function checkPublished(state: string, image: string): Promise<void> {
  const names = (await publishedImages(state)).map(({ name }) => name);
  if (names.includes(image)) return;
  const there = names.length === 0 ? 'none is' : `there are ${names.join(', ')}`;
  throw new Failure(
    'no-image',
    `No image "${image}" is published in ${state} (${there}); see "swarmboot image list"`,
  );
}

interface TargetOptions {
  readonly machine?: string;
  readonly group?: string;
  readonly subnet?: string;
  readonly arch?: string;
  readonly default?: boolean;
}

const targeting = (command: Command): Command =>
  command
    .option('--machine <MACHINE>', 'one machine, by MAC address or name')
    .option('--group <GROUP>', 'the machines of a group')
    .option('--subnet <A.B.C.D/N>', 'machines with an address in this network')
    .addOption(new Option('--arch <ARCH>', 'machines of this architecture').choices(ARCHES))
    .option('--default', 'all machines that nothing else is assigned to');

/** Exactly one target, and one that exists: a machine by its MAC address may be new. */
function targetOf(site: Site, options: TargetOptions): Target {
  const given = SCOPES.filter((scope) => options[scope] !== undefined);
  const [scope, ...more] = given;
  if (scope === undefined || more.length > 0) {
    const said =
      more.length > 0 ? `not ${given.map((name) => `--${name}`).join(' and ')} together` : 'none is given';
    throw new Failure(
      'bad-option',
      `Say for whom with one of ${SCOPES.map((name) => `--${name}`).join(', ')}; ${said}`,
    );
  }
  const text = String(options[scope]);
  if (scope === 'machine') return makeTarget(scope, parseMac(text) ?? site.machines.find(text).mac);
  if (scope === 'group') return makeTarget(scope, site.groups.find(text));
  return makeTarget(scope, text);
}

const checkedBy =
  (complain: (text: string) => string | undefined) =>
  (text: string): string => {
    const complaint = complain(text);
    if (complaint !== undefined) throw new InvalidArgumentError(`${complaint}.`);
    return text;
  };

interface SetOptions extends TargetOptions {
  readonly image?: string;
  readonly parameters?: string;
  readonly systemParameters?: string;
  readonly menuSeconds?: number;
  readonly state: string;
}

/** As one line: `image lab, parameters console=ttyS0, menu for 10 seconds`. */
const describe = (assignment: Assignment): string =>
  [
    assignment.image === undefined ? '' : `image ${assignment.image}`,
    assignment.parameters === undefined ? '' : `parameters ${assignment.parameters}`,
    assignment.systemParameters === undefined ? '' : `system parameters ${assignment.systemParameters}`,
    assignment.menuSeconds === undefined
      ? ''
      : assignment.menuSeconds === 0
        ? 'no menu'
        : `menu for ${assignment.menuSeconds} seconds`,
  ]
    .filter((part) => part !== '')
    .join(', ');

async function set(options: SetOptions): Promise<void> {
  const { image, parameters, systemParameters, menuSeconds } = options;
  if ([image, parameters, systemParameters, menuSeconds].every((value) => value === undefined)) {
    throw new Failure(
      'bad-option',
      'Say what with --image, --parameters, --system-parameters or --menu-seconds, one or several',
    );
  }
  if (image !== undefined) await checkPublished(options.state, image);
  withSite(options.state, (site) => {
    const target = targetOf(site, options);
    if (target.scope === 'machine') site.machines.keep(target.key);
    const before = site.assignments.get(target);
    const assignment: Assignment = {
      target,
      image: image ?? before?.image,
      parameters: parameters ?? before?.parameters,
      systemParameters: systemParameters ?? before?.systemParameters,
      menuSeconds: menuSeconds ?? before?.menuSeconds,
    };
    site.assignments.put(assignment);
    const sentence = `${describeTarget(target)}: ${describe(assignment)}`;
    logEvent(site.db, Date.now(), target.scope === 'machine' ? target.key : undefined, sentence);
    say(`${sentence}; from the next boot on`);
  });
}

interface UnsetOptions extends TargetOptions {
  readonly image?: boolean;
  readonly parameters?: boolean;
  readonly systemParameters?: boolean;
  readonly menuSeconds?: boolean;
  readonly state: string;
}

function unset(options: UnsetOptions): void {
  withSite(options.state, (site) => {
    const target = targetOf(site, options);
    const before = site.assignments.get(target);
    if (before === undefined) {
      throw new Failure(
        'unknown-name',
        `Nothing is assigned to ${describeTarget(target)}; see "swarmboot assign list"`,
      );
    }
    const { image, parameters, systemParameters, menuSeconds } = options;
    const all = !image && !parameters && !systemParameters && !menuSeconds;
    site.assignments.put({
      target,
      image: all || image ? undefined : before.image,
      parameters: all || parameters ? undefined : before.parameters,
      systemParameters: all || systemParameters ? undefined : before.systemParameters,
      menuSeconds: all || menuSeconds ? undefined : before.menuSeconds,
    });
    const left = site.assignments.get(target);
    const sentence = `${describeTarget(target)}: ${left ? describe(left) : 'nothing is assigned any more'}`;
    logEvent(site.db, Date.now(), target.scope === 'machine' ? target.key : undefined, sentence);
    say(sentence);
  });
}

function list({ state, json }: { state: string; json: boolean }): void {
  withSite(state, (site) => {
    const nexts = site.assignments.nextBoots().map(({ mac, image }) => ({
      ...{ scope: 'next', key: mac, image, parameters: null, systemParameters: null, menuSeconds: null },
    }));
    const items = site.assignments.list().map((assignment) => ({
      ...assignment.target,
      image: assignment.image ?? null,
      parameters: assignment.parameters ?? null,
      systemParameters: assignment.systemParameters ?? null,
      menuSeconds: assignment.menuSeconds ?? null,
    }));
    printList(
      json,
      [...nexts, ...items],
      (all) =>
        tableText(
          ['SCOPE', 'FOR', 'IMAGE', 'MENU', 'PARAMETERS', 'SYSTEM PARAMETERS'],
          all.map((item) => [
            item.scope,
            item.key,
            item.image ?? undefined,
            item.menuSeconds === null ? undefined : `${item.menuSeconds} s`,
            item.parameters ?? undefined,
            item.systemParameters ?? undefined,
          ]),
        ),
      'Nothing is assigned: all machines boot the image of "swarmboot serve --image", else the first by name',
    );
  });
}

async function explain(
  which: string,
  options: { state: string; json: boolean; arch?: Arch; ip?: string },
): Promise<void> {
  const images = await publishedImages(options.state);
  withSite(options.state, (site) => {
    const mac = parseMac(which) ?? site.machines.find(which).mac;
    const known = site.machines.get(mac);
    const arch = options.arch ?? known?.arch ?? 'amd64';
    const note = readServerNote(site.db);
    const decision = resolve(
      questionOf(site, { mac, arch, ip: options.ip, picked: undefined }, images, {
        image: note?.image,
        parameters: [],
      }),
    );
    if (options.json) {
      const { image, problem, ...rest } = decision;
      console.log(
        JSON.stringify({ mac, arch, image: image ?? null, problem: problem ?? null, ...rest }, null, 2),
      );
      return;
    }
    const what = decision.image === undefined ? 'has to wait' : `boots ${decision.image}`;
    console.log(
      `Machine ${mac} (${known?.name ?? 'no name'}, ${arch}) ${what}: ${decision.problem ?? decision.reason}`,
    );
    for (const step of decision.steps) console.log(`  ${step}`);
    if (decision.parameters.length > 0) console.log(`  parameters: ${decision.parameters.join(' ')}`);
    if (decision.systemParameters !== '') console.log(`  system parameters: ${decision.systemParameters}`);
  });
}

interface NextOptions {
  readonly machine?: string;
  readonly group?: string;
  readonly image?: string;
  readonly cancel: boolean;
  readonly state: string;
}

async function next(options: NextOptions): Promise<void> {
  const { image, cancel, state } = options;
  if ((image === undefined) === !cancel) {
    throw new Failure('bad-option', 'Say --image NAME for the next boot, or --cancel to take the order back');
  }
  if (image !== undefined) await checkPublished(state, image);
  withSite(state, (site) => {
    const target = targetOf(site, options);
    const macs =
      target.scope === 'group' ? site.machines.list(target.key).map(({ mac }) => mac) : [target.key];
    if (macs.length === 0) throw new Failure('unknown-name', `Group ${target.key} has no machines`);
    for (const mac of macs) {
      if (image === undefined) site.assignments.cancelNextBoot(mac);
      else {
        site.machines.keep(mac);
        site.assignments.orderNextBoot({ mac, image, token: randomBytes(16).toString('hex') });
      }
    }
    const sentence =
      image === undefined ? 'its next boot is as usual' : `its next boot, and only that, is ${image}`;
    for (const mac of macs) logEvent(site.db, Date.now(), mac, sentence);
    say(`${describeTarget(target)}: ${sentence.replace(/^its/, macs.length > 1 ? 'their' : 'its')}`);
  });
}

export function assignCommand(): Command {
  const assign = new Command('assign').description('what boots where');
  targeting(assign.command('set'))
    .description('assign an image, kernel parameters or a menu; the most specific assignment wins')
    .option('--image <NAME>', 'image to boot')
    .option(
      '--parameters <TEXT>',
      'kernel parameters for stage-1, such as swarmboot.linger=30 (docs/parameters.md)',
      checkedBy(stage1Complaint),
    )
    .option(
      '--system-parameters <TEXT>',
      'kernel parameters for the real system, such as nomodeset',
      checkedBy(systemComplaint),
    )
    .option(
      '--menu-seconds <N>',
      'show a menu of all images for so long; 0: no menu',
      integer(0, MENU_SECONDS_LIMIT),
    )
    .addOption(stateOption())
    .action(set);
  targeting(assign.command('unset'))
    .description('take an assignment back, whole or by the parts that are named')
    .option('--image', 'the image')
    .option('--parameters', 'the parameters for stage-1')
    .option('--system-parameters', 'the parameters for the real system')
    .option('--menu-seconds', 'the menu')
    .addOption(stateOption())
    .action(unset);
  assign
    .command('list')
    .description('list assignments, the most specific first')
    .addOption(stateOption())
    .option('--json', 'print JSON', false)
    .action(list);
  assign
    .command('explain')
    .argument('<MACHINE>', 'MAC address or name; a MAC address may be one that has never been seen')
    .description('say what a machine boots next, and why')
    .addOption(new Option('--arch <ARCH>', 'as if it had this architecture').choices(ARCHES))
    .option('--ip <ADDRESS>', 'as if it had this address (default: the one it was seen with)')
    .addOption(stateOption())
    .option('--json', 'print JSON', false)
    .action(explain);
  assign
    .command('next')
    .description('for the next boot only: it is used up when the machine has fetched stage-1')
    .option('--machine <MACHINE>', 'one machine, by MAC address or name')
    .option('--group <GROUP>', 'each machine that is in the group now')
    .option('--image <NAME>', 'image to boot')
    .option('--cancel', 'take the order back', false)
    .addOption(stateOption())
    .action(next);
  return assign;
}
