/**
 * Writes the man pages of `swarmboot` from its tree of commands, so that page and program cannot differ: swarmboot(8)
 * and one page for each command, swarmboot-COMMAND(8).
 *
 * Usage: node scripts/generate-man.ts DIR
 * The date is SOURCE_DATE_EPOCH's (reproducible-builds.org), else left out.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { program } from '../server/cli/program.ts';

/** roff(7): a backslash is an escape, a line that begins with . or ' a request; a plain - may be set as a hyphen. */
export const escapeRoff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^([.'])/gm, '\\&$1');

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;

function optionLines(option: Option): string[] {
  const notes = [
    ...(option.argChoices === undefined ? [] : [`One of ${option.argChoices.join(', ')}.`]),
    ...(option.mandatory ? ['Must be given.'] : []),
    ...(option.defaultValue === undefined ||
    option.defaultValue === false ||
    (Array.isArray(option.defaultValue) && option.defaultValue.length === 0)
      ? []
      : [`Default: ${String(option.defaultValue)}.`]),
  ];
  return [
    '.TP',
    `.B ${escapeRoff(option.flags)}`,
    [escapeRoff(sentence(option.description)), ...notes.map(escapeRoff)].join('\n'),
  ];
}

function usageOf(command: Command, path: string): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [path, ...(command.options.length > 0 ? ['[options]'] : []), ...words].join(' ');
}

/** The command and all below it, with their paths. */
function* leaves(command: Command, path: string): Generator<readonly [Command, string]> {
  if (command.commands.length === 0) yield [command, path];
  for (const child of command.commands) yield* leaves(child, `${path} ${child.name()}`);
}

const FILES = [
  ['/etc/swarmboot/release.sec', 'The key that signs releases; only root may read it.'],
  ['/etc/swarmboot/release.pub', 'Its public half, which stage-1 carries.'],
  ['/var/lib/swarmboot', 'Images, stage-1, files for TFTP, what is known of machines.'],
  ['/usr/share/doc/swarmboot-server', 'The documentation for administrators.'],
] as const;

const tail = (): string[] => [
  '.SH FILES',
  ...FILES.flatMap(([path, what]) => ['.TP', `.I ${escapeRoff(path)}`, escapeRoff(what)]),
  '.SH "EXIT STATUS"',
  '0 when it is done, 1 when it failed, with one sentence on standard error that says why and what to do, 2 after wrong usage.',
];

const heading = (name: string, date: string): string =>
  `.TH ${name.toUpperCase()} 8 "${date}" swarmboot "System administration"`;

function commandPage(command: Command, date: string): string {
  const name = `swarmboot-${command.name()}`;
  const parts = [...leaves(command, `swarmboot ${command.name()}`)];
  return `${[
    heading(name, date),
    '.SH NAME',
    `${escapeRoff(name)} \\- ${escapeRoff(command.description())}`,
    '.SH SYNOPSIS',
    ...parts.flatMap(([child, path]) => [`.B ${escapeRoff(usageOf(child, path))}`, '.br']),
    '.SH DESCRIPTION',
    escapeRoff(sentence(command.description())),
    ...parts.flatMap(([child, path]) => [
      `.SS "${escapeRoff(usageOf(child, path))}"`,
      escapeRoff(sentence(child.description())),
      ...child.registeredArguments.flatMap((argument) => [
        '.TP',
        `.I ${escapeRoff(argument.name())}`,
        escapeRoff(sentence(argument.description || argument.name())),
      ]),
      ...child.options.flatMap(optionLines),
    ]),
    ...tail(),
    '.SH "SEE ALSO"',
    '.BR swarmboot (8)',
  ].join('\n')}\n`;
}

function overviewPage(top: Command, date: string): string {
  return `${[
    heading('swarmboot', date),
    '.SH NAME',
    'swarmboot \\- boot many machines into the same Debian system over BitTorrent',
    '.SH SYNOPSIS',
    '.B swarmboot',
    '.I command',
    '[options]',
    '.SH DESCRIPTION',
    escapeRoff(
      'Machines that netboot take their image from each other and from this server, verify every byte against a signed manifest, and start the real Debian kernel with its root file system in RAM. This command makes keys and images, and serves them.',
    ),
    '.SH COMMANDS',
    ...top.commands.flatMap((command) => [
      '.TP',
      `.BR swarmboot\\-${escapeRoff(command.name())} (8)`,
      escapeRoff(sentence(command.description())),
    ]),
    ...tail(),
    '.SH "SEE ALSO"',
    `${top.commands
      .map((command) => `.BR swarmboot\\-${escapeRoff(command.name())} (8)`)
      .join(',\n')
      .replaceAll('(8),', '(8),')},\n.BR dnsmasq (8)`,
  ].join('\n')}\n`;
}

/** File name -> page. `date` as YYYY-MM-DD, or empty. */
export function manPages(top: Command, date: string): Map<string, string> {
  return new Map([
    ['swarmboot.8', overviewPage(top, date)],
    ...top.commands.map((command) => [`swarmboot-${command.name()}.8`, commandPage(command, date)] as const),
  ]);
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error('Usage: node scripts/generate-man.ts DIR');
    process.exit(2);
  }
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const date = epoch === undefined ? '' : new Date(Number(epoch) * 1000).toISOString().slice(0, 10);
  mkdirSync(folder, { recursive: true });
  for (const [name, page] of manPages(program(), date)) writeFileSync(join(folder, name), page);
}
