/** The completion as bash runs it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { completionScript } from '../../scripts/generate-completion.ts';
import { program } from '../../server/cli/program.ts';

const script = completionScript(program());

/** What bash offers when the last of `words` is being typed. */
function offered(...words: string[]): string[] {
  const call = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _swarmboot; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, status, stderr } = spawnSync(
    'bash',
    ['--norc', '-c', call, 'bash', 'swarmboot', ...words],
    {
      encoding: 'utf8',
      timeout: 10_000,
      cwd: import.meta.dirname,
    },
  );
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

test('commands, their children, options and the words that an option takes', () => {
  assert.deepEqual(offered('im'), ['image']);
  assert.deepEqual(offered('image', 'b'), ['build']);
  assert.ok(offered('image', 'build', '--').includes('--suite'));
  assert.deepEqual(offered('image', 'build', '--size', 'f'), ['full']);
  assert.deepEqual(offered('stage1', 'install', '--from', 'generate-m'), ['generate-man.test.ts']);
});

test('values are not taken for commands, nor options of one command offered for another', () => {
  assert.ok(!offered('image', 'build', '--').includes('--seeder-port'));
  assert.ok(offered('serve', '--image', 'key', '--').includes('--seeder-port'));
});
