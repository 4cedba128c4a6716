import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildWithSeeder, installSeeder, seederKey, seedFiles } from '../../../server/image/seed-content.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const SCRIPT = join(import.meta.dirname, '../../../server/image/seed/swarmboot-seed');

function fakeAgent(folder: string, text: string): string {
  const agent = join(folder, 'agent');
  writeFileSync(agent, text);
  return agent;
}

test('agent, unit, command and settings are in their places, and the unit starts with the system', async () => {
  const folder = temporaryFolder('seed-content');
  const root = join(folder, 'root');
  mkdirSync(root);
  await installSeeder(root, fakeAgent(folder, '\x7fELF agent'));
  assert.equal(readFileSync(join(root, 'usr/lib/swarmboot/swarmboot-agent'), 'latin1'), '\x7fELF agent');
  for (const [path, mode] of [
    ['usr/lib/swarmboot/swarmboot-agent', 0o755],
    ['usr/bin/swarmboot-seed', 0o755],
    ['usr/lib/systemd/system/swarmboot-seed.service', 0o644],
    ['etc/swarmboot/seed.conf', 0o644],
  ] as const)
    assert.equal(statSync(join(root, path)).mode & 0o777, mode, path);
  const unit = readFileSync(join(root, 'usr/lib/systemd/system/swarmboot-seed.service'), 'utf8');
  assert.match(unit, /^ExecStart=\/usr\/lib\/swarmboot\/swarmboot-agent seed /m);
  assert.match(unit, /^ConditionPathExists=\/run\/swarmboot\/seed\/seed\.json$/m);
  assert.equal(
    readlinkSync(join(root, 'etc/systemd/system/multi-user.target.wants/swarmboot-seed.service')),
    '/usr/lib/systemd/system/swarmboot-seed.service',
  );
});

test('another agent makes another key', async () => {
  const folder = temporaryFolder('seed-key');
  const one = await seederKey(fakeAgent(folder, '\x7fELF one'));
  assert.match(one, /^[0-9a-f]{32}$/);
  assert.equal(await seederKey(fakeAgent(folder, '\x7fELF one')), one);
  assert.notEqual(await seederKey(fakeAgent(folder, '\x7fELF two')), one);
  assert.ok(seedFiles('agent').every(({ source }) => source === 'agent' || existsSync(source)));
});

test('what is no agent is refused before anything is unpacked', async () => {
  const folder = temporaryFolder('seed-refused');
  const context = { say: () => {}, signal: undefined };
  await assert.rejects(buildWithSeeder(folder, fakeAgent(folder, '#!/bin/sh'), folder, context), {
    code: 'bad-option',
    message: /agent is not the agent; build it with scripts\/build-agent/,
  });
});

/** Runs swarmboot-seed with a stand-in for systemctl. */
function command(systemctl: string, ...args: string[]) {
  const folder = temporaryFolder('seed-command');
  writeFileSync(join(folder, 'systemctl'), `#!/bin/sh\necho "$*" >>"${folder}/calls"\n${systemctl}\n`);
  chmodSync(join(folder, 'systemctl'), 0o755);
  const { status, stdout } = spawnSync('sh', [SCRIPT, ...args], {
    encoding: 'utf8',
    timeout: 10_000,
    env: { PATH: `${folder}:${process.env.PATH}` },
  });
  const calls = existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8') : '';
  return { status, stdout, calls };
}

test('swarmboot-seed off and on stop and start the unit; status says 3 where it does not run', () => {
  execFileSync('sh', ['-n', SCRIPT]);
  const off = command('exit 0', 'off');
  assert.deepEqual([off.status, off.calls], [0, 'stop swarmboot-seed.service\n']);
  const on = command('exit 0', 'on');
  assert.equal(on.status, 0);
  assert.match(on.calls, /^start swarmboot-seed\.service\n/);
  const dead = command('case $1 in show) echo inactive ;; *) exit 3 ;; esac', 'status');
  assert.equal(dead.status, 3);
  assert.match(dead.stdout, /^off {6}this system was not booted by swarmboot/);
  const failed = command('case $1 in show) echo failed ;; *) exit 3 ;; esac', 'status');
  assert.match(failed.stdout, /journalctl -u swarmboot-seed\.service/);
  const denied = command('exit 4', 'off');
  assert.equal(denied.status, 4);
  assert.equal(command('exit 0').status, 2);
  assert.equal(command('exit 0', 'restart').status, 2);
});
