/**
 * Writes bash's completion of `swarmboot` from its tree of commands (bash(1), "Programmable Completion").
 *
 * Usage: node scripts/generate-completion.ts > FILE
 */
import type { Command } from 'commander';
import { program } from '../server/cli/program.ts';

interface Words {
  /** Words of the command so far, such as "image build"; empty for the top. */
  readonly path: string;
  readonly children: readonly string[];
  readonly options: readonly string[];
  /** Option -> what it takes: fixed words, or undefined for anything (files are offered). */
  readonly values: ReadonlyMap<string, readonly string[] | undefined>;
}

/** What can follow each command. */
export function completionWords(command: Command, path = ''): Words[] {
  const values = new Map<string, readonly string[] | undefined>();
  const options: string[] = ['--help'];
  for (const option of command.options) {
    if (option.long === undefined || option.long === null) continue;
    options.push(option.long);
    if (option.required || option.optional) values.set(option.long, option.argChoices);
  }
  return [
    { path, children: command.commands.map((child) => child.name()), options, values },
    ...command.commands.flatMap((child) => completionWords(child, `${path} ${child.name()}`.trim())),
  ];
}

const pattern = (path: string): string => (path === '' ? "''" : `'${path}'`);

/** The whole file. */
export function completionScript(top: Command): string {
  const table = completionWords(top);
  const cases = table.map(({ path, children, options }) => {
    const words = [...children, ...options].join(' ');
    return `\t${pattern(path)}) words='${words}' ;;`;
  });
  const values = table.flatMap(({ path, values: taking }) =>
    [...taking].map(
      ([option, choices]) =>
        `\t'${`${path} ${option}`.trim()}') value=${choices ? `'${choices.join(' ')}'` : 'FILE'} ;;`,
    ),
  );
  const paths = table.map(({ path }) => pattern(path)).join(' | ');
  return `# bash completion of swarmboot(8). Written by scripts/generate-completion.ts from the tree of commands.
_swarmboot() {
	local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
	local path='' word words='' value=''
	for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "\${path:+$path }$word" in
		${paths}) path="\${path:+$path }$word" ;;
		esac
	done
	COMPREPLY=()
	case "\${path:+$path }$previous" in
${values.join('\n')}
	esac
	if [[ $value == FILE ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
	fi
	if [[ $value ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$value" -- "$current")
		return
	fi
	case "$path" in
${cases.join('\n')}
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _swarmboot swarmboot
`;
}

if (import.meta.main) process.stdout.write(completionScript(program()));
