/** The seeder put into a built root with the real squashfs-tools. Needs root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildWithSeeder } from '../../server/image/seed-content.ts';
import { temporaryDirectory } from './support/temporary.ts';

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', timeout: 60_000 });

test('a root is packed again with the seeder in it, all else as it was, nothing left behind', async (t) => {
  const folder = temporaryDirectory(t);
  const [root, built, target] = ['root', 'built', 'target'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [root, join(root, 'etc'), join(root, 'home'), built, target]) mkdirSync(path);
  writeFileSync(join(root, 'etc/hostname'), 'lab\n');
  chownSync(join(root, 'home'), 1000, 1000);
  run('mksquashfs', root, join(built, 'root.squashfs'), '-no-progress', '-quiet');
  writeFileSync(join(built, 'vmlinuz'), 'kernel');
  writeFileSync(join(built, 'initrd.img'), 'initrd');
  const agent = join(folder, 'agent');
  writeFileSync(agent, '\x7fELF agent', 'latin1');

  await buildWithSeeder(built, agent, target, { say: () => {}, signal: undefined });
  assert.deepEqual(readdirSync(target).sort(), ['initrd.img', 'root.squashfs', 'vmlinuz']);
  assert.equal(readFileSync(join(target, 'vmlinuz'), 'utf8'), 'kernel');
  const packed = join(target, 'root.squashfs');
  assert.equal(run('unsquashfs', '-cat', packed, 'etc/hostname'), 'lab\n');
  const list = run('unsquashfs', '-lln', '-d', '', packed);
  assert.match(list, /^-rwxr-xr-x 0\/0 +10 \S+ \S+ \/usr\/lib\/swarmboot\/swarmboot-agent$/m);
  assert.match(list, /^-rwxr-xr-x 0\/0 .* \/usr\/bin\/swarmboot-seed$/m);
  assert.match(list, /^-rw-r--r-- 0\/0 .* \/etc\/swarmboot\/seed\.conf$/m);
  assert.match(
    list,
    /\/etc\/systemd\/system\/multi-user\.target\.wants\/swarmboot-seed\.service -> \/usr\/lib\/systemd\/system\/swarmboot-seed\.service$/m,
  );
  assert.match(list, /^drwxr-xr-x 1000\/1000 .* \/home$/m);
});
