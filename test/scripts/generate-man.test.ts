import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { escapeRoff, manPages } from '../../scripts/generate-man.ts';
import { program } from '../../server/cli/program.ts';

test('every command has a page that names each of its options', () => {
  const pages = manPages(program(), '2026-11-26');
  const visit = (command: Command, page: string): void => {
    for (const option of command.options)
      assert.ok(page.includes(escapeRoff(option.flags)), `${command.name()} ${option.flags}`);
    for (const child of command.commands) visit(child, page);
  };
  const commands = program().commands;
  assert.ok(commands.length > 3);
  assert.equal(pages.size, commands.length + 1);
  for (const command of commands) {
    const page = pages.get(`swarmboot-${command.name()}.8`);
    assert.ok(page, command.name());
    visit(command, page);
    assert.ok(pages.get('swarmboot.8')?.includes(`swarmboot\\-${command.name()}`));
  }
});

test('what roff would take for its own is escaped', () => {
  const top = new Command('swarmboot');
  top.command('odd').description(".TH \\n 'quoted'").option('--x <A>', '.so /etc/passwd');
  const page = manPages(top, '').get('swarmboot-odd.8') ?? '';
  assert.ok(!/^\.so /m.test(page));
  assert.ok(!/^\.TH \\n/m.test(page));
  assert.ok(page.includes('\\&.so /etc/passwd'));
  assert.ok(page.includes('\\en'));
});
