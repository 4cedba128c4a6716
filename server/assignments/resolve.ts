/**
 * What one machine boots, and why: assignments in, a decision and its reasons out. Pure.
 *
 * - The image: a one-shot next boot, else what was picked in the machine's menu, else the most specific assignment that
 *   names one (MAC address, group, subnet, architecture, default; of several subnets the smallest), else what the
 *   server was started with, else the first image by name.
 * - A choice for another architecture is passed over: it cannot have meant this machine. A choice of an image that is
 *   not published is not: booting something else than what was asked for would be worse than to wait.
 * - Kernel parameters of all levels are added up, the most specific last, where the kernel lets the last one win.
 */
import type { Arch } from '../../contract/manifest.ts';
import { parseCmdline, splitCmdline } from '../../contract/parameters.ts';
import { type Assignment, describeTarget, isInSubnet, parseSubnet, SCOPES } from './assignment.ts';

export interface AvailableImage {
  readonly name: string;
  readonly arch: Arch;
}

export interface Question {
  /** undefined if iPXE did not say. */
  readonly mac: string | undefined;
  readonly group: string | undefined;
  /** undefined if the machine has not been seen. */
  readonly ip: string | undefined;
  readonly arch: Arch;
  /** Image of the one-shot next boot. */
  readonly next: string | undefined;
  /** Image that was picked in the machine's menu. */
  readonly picked: string | undefined;
  readonly assignments: readonly Assignment[];
  /** What is published, sorted by name. */
  readonly images: readonly AvailableImage[];
  /** `serve --image`. */
  readonly serverImage: string | undefined;
  /** `serve --append`. */
  readonly serverParameters: readonly string[];
}

export interface Decision {
  /** undefined: the machine has to wait; `problem` says for what. */
  readonly image: string | undefined;
  readonly problem: string | undefined;
  /** Who decided: `group lab1`, `one-shot next boot`. */
  readonly reason: string;
  readonly once: boolean;
  /** For stage-1. */
  readonly parameters: readonly string[];
  /** For the kernel of the real system, '' for none. */
  readonly systemParameters: string;
  /** 0: no menu. */
  readonly menuSeconds: number;
  /** What was considered, in order, as sentences. */
  readonly steps: readonly string[];
}

/** The kernel cuts its command line at 2048 bytes (x86); what the server writes itself needs up to 800. */
const PARAMETERS_LIMIT = 600;
/** As `swarmboot.append` has it (contract/parameters.ts). */
const SYSTEM_PARAMETERS_LIMIT = 512;

const prefixLength = (subnet: string): number => Number(subnet.split('/')[1]);

/** The assignments that apply, most specific first. */
export function applying(
  question: Pick<Question, 'mac' | 'group' | 'ip' | 'arch' | 'assignments'>,
): Assignment[] {
  const { mac, group, ip, arch } = question;
  const applies = ({ target: { scope, key } }: Assignment): boolean => {
    switch (scope) {
      case 'machine':
        return key === mac;
      case 'group':
        return key === group;
      case 'subnet': {
        const subnet = parseSubnet(key);
        return ip !== undefined && subnet !== undefined && isInSubnet(subnet, ip);
      }
      case 'arch':
        return key === arch;
      case 'default':
        return true;
    }
  };
  return question.assignments.filter(applies).sort((a, b) => {
    const byScope = SCOPES.indexOf(a.target.scope) - SCOPES.indexOf(b.target.scope);
    if (byScope !== 0 || a.target.scope !== 'subnet') return byScope;
    return prefixLength(b.target.key) - prefixLength(a.target.key);
  });
}

const menuOf = (levels: readonly Assignment[]): Assignment | undefined =>
  levels.find(({ menuSeconds }) => menuSeconds !== undefined);

interface Choice {
  readonly image: string;
  readonly reason: string;
}

function choices(question: Question, levels: readonly Assignment[]): Choice[] {
  const found: Choice[] = [];
  const add = (image: string | undefined, reason: string): void => {
    if (image !== undefined) found.push({ image, reason });
  };
  add(question.next, 'one-shot next boot');
  // Anyone can put a name into the URL: it counts only where a menu was offered, and only if it was in it.
  const { picked } = question;
  const offered =
    (menuOf(levels)?.menuSeconds ?? 0) > 0 && question.images.some(({ name }) => name === picked);
  if (offered) add(picked, 'picked in its menu');
  for (const { image, target } of levels) add(image, describeTarget(target));
  add(question.serverImage, 'image of "swarmboot serve --image"');
  const first = question.images.find(({ arch }) => arch === question.arch);
  add(first?.name, `first image by name for ${question.arch}`);
  return found;
}

/** Words of all levels up to `limit` characters: if they are too many, the most general are left out. */
function addUp(
  levels: readonly { readonly text: string | undefined; readonly from: string }[],
  limit: number,
  steps: string[],
): string {
  let sum = '';
  for (const { text, from } of levels) {
    if (text === undefined || text === '') continue;
    const longer = sum === '' ? text : `${text} ${sum}`;
    if (longer.length > limit)
      steps.push(`parameters of ${from} are left out: more than ${limit} characters in all`);
    else sum = longer;
  }
  return sum;
}

/** `swarmboot.append` is one parameter: the values of all who set it become one. */
function parameterSums(question: Question, levels: readonly Assignment[], steps: string[]) {
  const all = [
    ...levels.map((level) => ({
      from: describeTarget(level.target),
      stage1: level.parameters ?? '',
      system: level.systemParameters ?? '',
    })),
    ...question.serverParameters.map((stage1) => ({ from: '"serve --append"', stage1, system: '' })),
  ].map(({ from, stage1, system }) => ({
    from,
    stage1: splitCmdline(stage1)
      .filter((word) => !word.startsWith('swarmboot.append='))
      .join(' '),
    system: [parseCmdline(stage1).parameters.append, system].filter((text) => text !== '').join(' '),
  }));
  const sum = (of: 'stage1' | 'system', limit: number): string =>
    addUp(
      all.map((level) => ({ from: level.from, text: level[of] })),
      limit,
      steps,
    );
  return { stage1: sum('stage1', PARAMETERS_LIMIT), system: sum('system', SYSTEM_PARAMETERS_LIMIT) };
}

export function resolve(question: Question): Decision {
  const steps: string[] = [];
  const levels = applying(question);
  const published = new Map(question.images.map((image) => [image.name, image]));
  let decided: { choice: Choice; problem: string | undefined } | undefined;
  for (const choice of choices(question, levels)) {
    const image = published.get(choice.image);
    const said = `${choice.reason}: image ${choice.image}`;
    if (decided !== undefined) steps.push(`${said}, not needed any more`);
    else if (image === undefined) {
      const problem = `image ${choice.image} (${choice.reason}) is not published`;
      steps.push(`${said}, which is not published: the machine waits`);
      decided = { choice, problem };
    } else if (image.arch !== question.arch) {
      steps.push(`${said} is for ${image.arch}, this machine is ${question.arch}: passed over`);
    } else {
      steps.push(`${said}: taken`);
      decided = { choice, problem: undefined };
    }
  }
  const [example] = question.images;
  const nothing = example
    ? `no image is for ${question.arch} (${example.name} is for ${example.arch})`
    : 'the server has no image yet; publish one with swarmboot image build';
  if (decided === undefined) steps.push(nothing);
  const sums = parameterSums(question, levels, steps);
  const menu = menuOf(levels);
  if (menu) steps.push(`${describeTarget(menu.target)}: menu for ${menu.menuSeconds} seconds`);
  const problem = decided === undefined ? nothing : decided.problem;
  return {
    image: problem === undefined ? decided?.choice.image : undefined,
    problem,
    reason: decided?.choice.reason ?? 'no image',
    once: decided?.choice.reason === 'one-shot next boot',
    parameters: sums.stage1 === '' ? [] : splitCmdline(sums.stage1),
    systemParameters: sums.system,
    menuSeconds: menu?.menuSeconds ?? 0,
    steps,
  };
}
