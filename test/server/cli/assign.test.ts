/** Machines, groups and assignments as an administrator handles them: bin/swarmboot as a process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { publishSmall } from '../published-image.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder('assign');
const state = join(folder, 'state');
const command = join(import.meta.dirname, '../../../bin/swarmboot');
const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(command, [...args, '--state', state], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stdout, stderr };
};
const good = (...args: string[]): string => {
  const { status, stdout, stderr } = run(...args);
  assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
};
const json = (...args: string[]) => JSON.parse(good(...args, '--json'));
const mac = '52:54:00:aa:00:06';

before(async () => {
  await publishSmall(folder, 'lab');
  await publishSmall(folder, 'exam');
});

test('an empty site lists nothing, as sentences and as JSON', () => {
  assert.match(good('machine', 'list'), /No machine is known yet/);
  assert.match(good('assign', 'list'), /Nothing is assigned/);
  assert.deepEqual([json('machine', 'list'), json('group', 'list'), json('assign', 'list')], [[], [], []]);
});

test('a room is made, filled, assigned to, explained, and taken apart', () => {
  good('group', 'add', 'lab1');
  good('machine', 'add', '52-54-00-AA-00-06', '--name', 'pc01', '--group', 'lab1');
  assert.match(
    good('assign', 'set', '--group', 'lab1', '--image', 'lab'),
    /group lab1: image lab; from the next boot on/,
  );
  good('assign', 'set', '--group', 'lab1', '--menu-seconds', '5');
  good('assign', 'set', '--machine', 'pc01', '--system-parameters', 'nomodeset');
  assert.match(
    good('assign', 'next', '--machine', 'pc01', '--image', 'exam'),
    /its next boot, and only that, is exam/,
  );
  const why = good('assign', 'explain', 'pc01');
  assert.match(
    why,
    /^Machine 52:54:00:aa:00:06 \(pc01, amd64\) boots exam: one-shot next boot\n {2}one-shot next boot: image exam: taken\n/,
  );
  assert.match(why, /system parameters: nomodeset/);
  good('assign', 'next', '--group', 'lab1', '--cancel');
  const explained = json('assign', 'explain', mac);
  assert.deepEqual([explained.image, explained.reason, explained.menuSeconds], ['lab', 'group lab1', 5]);
  assert.deepEqual(
    json('assign', 'list').map((item: { scope: string; key: string }) => [item.scope, item.key]),
    [
      ['machine', mac],
      ['group', 'lab1'],
    ],
  );
  assert.deepEqual(json('group', 'list'), [{ name: 'lab1', machines: 1, image: 'lab' }]);
  assert.match(good('machine', 'list'), /^GROUP +NAME +MAC .*\nlab1 +pc01 +52:54:00:aa:00:06 .* never/);
  assert.equal(json('machine', 'show', 'pc01').name, 'pc01');
  good('assign', 'unset', '--group', 'lab1', '--image');
  assert.equal(json('assign', 'list')[1].image, null);
  good('assign', 'unset', '--group', 'lab1');
  good('group', 'remove', 'lab1');
  good('machine', 'forget', 'pc01');
  assert.deepEqual(json('machine', 'list'), []);
});

test('wrong usage has status 2, an unknown name 1, each with a sentence and nothing changed', () => {
  for (const [expected, sentence, ...args] of [
    [2, /Say for whom with one of --machine, --group.*none is given/, 'assign', 'set', '--image', 'lab'],
    [
      2,
      /not --arch and --default together/,
      'assign',
      'set',
      '--default',
      '--arch',
      'amd64',
      '--image',
      'lab',
    ],
    [2, /Say what with --image/, 'assign', 'set', '--default'],
    [
      1,
      /No image "nope" is published in .* \(there are exam, lab\)/,
      'assign',
      'set',
      '--default',
      '--image',
      'nope',
    ],
    [2, /is not an IPv4 subnet/, 'assign', 'set', '--subnet', '10.0.0.0', '--image', 'lab'],
    [2, /kernel parameters like/, 'assign', 'set', '--default', '--parameters', `a \${b}`],
    [2, /whole number from 0 to 3600/, 'assign', 'set', '--default', '--menu-seconds', '99999'],
    [1, /There is no group "x"/, 'assign', 'set', '--group', 'x', '--image', 'lab'],
    [1, /No machine is known as "pc99"/, 'assign', 'explain', 'pc99'],
    [1, /Nothing is assigned to the default/, 'assign', 'unset', '--default'],
    [2, /--image NAME .* or --cancel/, 'assign', 'next', '--machine', mac],
    [2, /is not a MAC address/, 'machine', 'add', 'pc01'],
    [1, /There is no group "x"; make it with/, 'machine', 'add', mac, '--group', 'x'],
    [2, /cannot name a group/, 'group', 'add', 'a b'],
  ] as const) {
    const { status, stderr } = run(...args);
    assert.deepEqual([args, status], [args, expected], stderr);
    assert.match(stderr, sentence);
    assert.ok(!stderr.includes('    at '), stderr);
  }
  assert.deepEqual([json('assign', 'list'), json('machine', 'list')], [[], []]);
});
