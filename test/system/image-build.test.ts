/**
 * A real Debian image: built (or taken from the cache that the demo uses too), published, and looked at with other
 * people's programs. Needs root, mmdebstrap and squashfs-tools; the first build takes some minutes.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileOfRole, type Manifest, parseManifest } from '../../contract/manifest.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'swarmboot-image-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const [state, config] = [join(folder, 'state'), join(folder, 'config')];
const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    timeout: 590_000,
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
const swarmboot = (...args: string[]): string =>
  run(join(root, 'bin/swarmboot'), ...args, '--config', config);

let release = '';
let payload = '';
let manifest: Manifest;

before(
  () => {
    swarmboot('key', 'generate');
    // The same recipe as the demo's, so that one build serves both.
    const recipe = ['--name', 'demo', '--user', 'demo', '--password', 'demo', '--size', 'small'];
    swarmboot('image', 'build', ...recipe, '--state', state, '--cache', join(root, '.cache/images'));
    release = join(state, 'images/demo/current');
    manifest = parseManifest(readFileSync(join(release, 'manifest.json')));
    payload = join(release, 'files', `demo-${manifest.version}`);
  },
  { timeout: 600_000 },
);

test('signify-openbsd verifies the manifest with our public key', () => {
  const files = ['-m', join(release, 'manifest.json'), '-x', join(release, 'manifest.json.sig')];
  assert.match(
    run('signify-openbsd', '-V', '-p', join(config, 'release.pub'), ...files),
    /Signature Verified/,
  );
});

test('the root is a system: init, login, network, serial console; no kernel, no host keys, no machine-id', () => {
  const list = run('unsquashfs', '-l', '-d', '', join(payload, 'root.squashfs')).split('\n');
  const has = (path: string) => list.includes(path);
  for (const path of [
    '/usr/sbin/init',
    '/usr/bin/login',
    '/usr/lib/systemd/system/serial-getty@.service',
    '/etc/systemd/network/80-swarmboot-wired.network',
    '/home/demo',
    '/etc/systemd/system/multi-user.target.wants/swarmboot-seed.service',
    `/usr/lib/modules/${manifest.kernelRelease}/modules.dep`,
  ])
    assert.ok(has(path), path);
  assert.deepEqual(
    list.filter((path) => /^\/boot\/(vmlinuz|initrd)|ssh_host_.*key|^\/usr\/share\/man\/.*gz$/.test(path)),
    [],
  );
  const cat = (path: string) => run('unsquashfs', '-cat', join(payload, 'root.squashfs'), path);
  assert.equal(cat('etc/machine-id'), '', 'every boot makes its own');
  assert.equal(cat('etc/hostname'), 'demo\n');
  assert.match(cat('etc/shadow'), /^demo:\$y?\$?/m);
  assert.match(cat('etc/shadow'), /^root:[*!]/m, 'nobody logs in as root');
});

test('the manifest is of this kernel, and squashfs and initrd stay small', () => {
  assert.match(
    run('file', '-b', join(payload, 'vmlinuz')),
    new RegExp(`version ${manifest.kernelRelease.replaceAll(/[.+]/g, '\\$&')} `),
  );
  assert.deepEqual(manifest.strategies, ['pmem', 'retain', 'cpio']);
  assert.equal(fileOfRole(manifest, 'root').length, statSync(join(payload, 'root.squashfs')).size);
  assert.ok(fileOfRole(manifest, 'root').length < 180 * 1024 ** 2);
  assert.ok(fileOfRole(manifest, 'initrd').length < 20 * 1024 ** 2, 'no drivers of disks and network cards');
  assert.match(manifest.cmdline, /console=ttyS0/);
});

test("Debian's own lsinitramfs finds our script and modules in front of the whole initrd", () => {
  // lsinitramfs is a program of the image: it is run there, on the published file.
  const system = join(folder, 'system');
  run('unsquashfs', '-n', '-no-xattrs', '-d', system, join(payload, 'root.squashfs'));
  mkdirSync(join(system, 'srv'), { recursive: true });
  copyFileSync(join(payload, 'initrd.img'), join(system, 'srv/initrd.img'));
  const list = run('chroot', system, 'lsinitramfs', '/srv/initrd.img').split('\n');
  for (const path of [
    'scripts/swarmboot',
    'conf/conf.d/swarmboot',
    'swarmboot/modules/00-libnvdimm.ko',
    // of the image's own initrd, behind ours
    'scripts/functions',
    'init',
    'conf/initramfs.conf',
  ])
    assert.ok(list.includes(path), path);
  const modules = list.filter((path) => /^swarmboot\/modules\/.*\.ko$/.test(path));
  const names = modules.map((path) => path.replace(/^.*\/\d\d-/, '').replace('.ko', ''));
  assert.deepEqual(names.toSorted(), [
    'dm_bufio',
    'dm_mod',
    'dm_verity',
    'libnvdimm',
    'loop',
    'nd_btt',
    'nd_e820',
    'nd_pmem',
    'overlay',
    'reed_solomon',
    'sha256_ssse3',
    'squashfs',
  ]);
  assert.ok(names.indexOf('libnvdimm') < names.indexOf('nd_pmem'), 'needs first');
});

test('the same files can be imported again as another image', () => {
  const files = ['--kernel', join(payload, 'vmlinuz'), '--initrd', join(payload, 'initrd.img')];
  const rootFile = ['--root', join(payload, 'root.squashfs')];
  swarmboot('image', 'import', '--name', 'again', ...files, ...rootFile, '--state', state);
  const imported = parseManifest(readFileSync(join(state, 'images/again/current/manifest.json')));
  assert.equal(fileOfRole(imported, 'root').sha256, fileOfRole(manifest, 'root').sha256);
  assert.equal(imported.kernelRelease, manifest.kernelRelease);
  assert.throws(
    () =>
      swarmboot(
        'image',
        'import',
        '--name',
        'wrong',
        ...files,
        ...rootFile,
        '--arch',
        'arm64',
        '--state',
        state,
      ),
    /is for amd64, but --arch says arm64/,
  );
});
