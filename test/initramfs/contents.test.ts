import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PARAMETERS, parameterName } from '../../contract/parameters.ts';
import { APPLETS, FILES, MODULES, MODULES_AT_START } from '../../initramfs/contents.ts';

const path = join(import.meta.dirname, '../../initramfs/init');
const init = readFileSync(path, 'utf8');

test('lists name nothing twice, and what is loaded at start is shipped', () => {
  assert.equal(new Set(MODULES).size, MODULES.length);
  assert.equal(new Set(APPLETS).size, APPLETS.length);
  for (const name of MODULES_AT_START) assert.ok(MODULES.includes(name), name);
  assert.equal(FILES['etc/swarmboot/modules'], `${MODULES_AT_START.join('\n')}\n`);
});

test('init is an executable that a POSIX shell can parse', () => {
  assert.ok((statSync(path).mode & 0o111) !== 0);
  const { status, stderr } = spawnSync('sh', ['-n', path], { encoding: 'utf8', timeout: 10_000 });
  assert.equal(status, 0, stderr);
});

test("init's reboot parameter and its default are those of the table", () => {
  assert.ok(init.includes(`parameter ${parameterName('reboot')} `));
  assert.ok(init.includes(`\nREBOOT_SECONDS=${PARAMETERS.reboot.defaultText} `));
});

/** Words of `init` in command position that are neither the shell's own nor defined in the script. */
function commandsOf(script: string): string[] {
  const own = new Set([
    ...['set', 'export', 'exec', 'return', 'echo', 'wait', 'case', 'esac', 'if', 'then', 'else', 'fi', 'for'],
    ...['while', 'do', 'done', 'in', '[', ':', 'continue'],
    ...[...script.matchAll(/^(\w+)\(\)/gm)].map((match) => match[1] ?? ''),
  ]);
  const text = script
    .replace(/#.*$/gm, '')
    .replace(/\$\(\(.*?\)\)/g, '0')
    // Of what is printed, only the command substitutions.
    .replace(/\b(?:say|echo) (".*)/g, (_, rest: string) => (rest.match(/\$\([^)]*\)/g) ?? []).join('\n'));
  const words = [
    ...text.matchAll(/(?:^\s*|[|;&(]\s*|\b(?:do|then|while|if|else)\s+)([a-z][a-z0-9]*)(?=\s|$)/gm),
  ];
  return [...new Set(words.map((match) => match[1] ?? ''))].filter((word) => !own.has(word));
}

test('every program that init calls is one the build checks for', () => {
  const commands = commandsOf(init);
  for (const known of ['mount', 'modprobe', 'reboot', 'xargs', 'ip', 'uname', 'cut', 'wc', 'sleep', 'cat'])
    assert.ok(commands.includes(known), `${known} was not found in init`);
  for (const command of commands) assert.ok(APPLETS.includes(command), `${command} is not in APPLETS`);
});

/** Runs the functions of `init` without its doings, which begin with the first mount. */
function inShell(call: string): string {
  const functions = init.slice(0, init.indexOf('\nmount -t proc'));
  assert.ok(functions.length < init.length - 100, 'the doings of init were not found');
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `${functions}\n${call}`], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test('init tells how the agent ended in words', () => {
  assert.match(inShell('describe 0'), /returned although/);
  assert.match(inShell('describe 1'), /failed \(status 1\)/);
  assert.match(inShell('describe 127'), /could not be started/);
  assert.match(inShell('describe 137'), /memory ran out/);
  assert.match(inShell('describe 139'), /crashed \(signal 11\)/);
});

test('init keeps the screen if swarmboot.reboot=0 asks for it', () => {
  assert.match(inShell('leave 0'), /^swarmboot: note Staying here/);
});
