import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { bootEntries, buildBootCpio } from '../../../server/image/boot-cpio.ts';
import { assertGolden } from '../golden.ts';

const modules = ['libnvdimm', 'nd_pmem', 'overlay'].map((name) => ({ name, bytes: Buffer.from(name) }));
const scripts = join(import.meta.dirname, '../../../server/image/initramfs');

test('the archive holds the scripts and the modules in loading order', () => {
  const archive = buildBootCpio(modules);
  // cpio is part of every Debian (priority important); -t lists, --quiet drops the block count
  const listing = execFileSync('cpio', ['-t', '--quiet'], {
    input: archive,
    timeout: 10_000,
    encoding: 'utf8',
  });
  assertGolden('boot-cpio.list', listing);
  assert.deepEqual(buildBootCpio(modules), archive, 'same input, same bytes');
});

test('the scripts are sh that dash parses, and define what initramfs-tools calls', () => {
  for (const file of ['boot-script.sh', 'load-modules.sh', 'systemd-root.sh'])
    execFileSync('sh', ['-n', join(scripts, file)], { timeout: 10_000 });
  const functions = execFileSync(
    'sh',
    [
      '-c',
      `. "${join(scripts, 'boot-script.sh')}"; for f in mount_top mount_premount mountroot mount_bottom; do type $f; done`,
    ],
    { timeout: 10_000, encoding: 'utf8' },
  );
  assert.equal(functions.match(/function/g)?.length, 4);
  assert.ok(bootEntries([]).every((entry) => entry.kind !== 'file' || entry.bytes.length > 0));
});
