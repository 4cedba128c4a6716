/** The packages' own tests (DEP-8, debian/tests), run as Debian runs them: by autopkgtest, in a fresh Debian with nothing but the packages. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { buildDebs } from './package/build-debs.ts';

const ROOT = join(import.meta.dirname, '../../..');
const TIMEOUT_MS = 1_200_000;
/**
 * What a chroot needs to be a testbed, in a mount and a PID namespace of its own: no daemon of the testbed outlives it.
 * The tests break the testbed (they configure it), which is thrown away.
 */
const RUN = `set -e
tree=$1; shift
mount --make-rprivate /
# unshare(1), with which an image is built, wants / to be a mount point.
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount --rbind /dev "$tree/dev"
exec autopkgtest --ignore-restrictions=breaks-testbed "$@" -- chroot "$tree"`;

let debs: string[];
before(() => {
  debs = buildDebs();
});

test('autopkgtest in a fresh trixie: every test passes, none is skipped', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-autopkgtest-'));
  const tree = join(folder, 'tree');
  const run = (program: string, ...args: string[]) =>
    spawnSync(program, args, { encoding: 'utf8', timeout: TIMEOUT_MS, maxBuffer: 64 * 2 ** 20 });
  try {
    const made = run(
      'mmdebstrap',
      '--variant=apt',
      '--format=directory',
      // autopkgtest does not ask apt for new lists by itself.
      '--skip=cleanup/apt',
      '--include=ca-certificates',
      // Its processes are in this machine's network, where no dnsmasq is to appear.
      `--customize-hook=printf '#!/bin/sh\\nexit 101\\n' >"$1"/usr/sbin/policy-rc.d; chmod 755 "$1"/usr/sbin/policy-rc.d`,
      'trixie',
      tree,
    );
    assert.equal(made.status, 0, made.stderr);
    // autopkgtest copies the source it is given into the testbed; the checkout has gigabytes of images in it.
    const source = join(folder, 'source');
    cpSync(join(ROOT, 'debian'), join(source, 'debian'), { recursive: true });
    const sandbox = ['--mount', '--pid', '--fork', '--kill-child=KILL', '--', 'sh', '-c', RUN, 'sh', tree];
    const { status, stdout, stderr } = run('unshare', ...sandbox, '--no-built-binaries', ...debs, source);
    const said = `${stdout}\n${stderr}`.split('\n').slice(-60).join('\n');
    assert.deepEqual(
      [...stdout.matchAll(/^(\S+) +(PASS|FAIL|SKIP|FLAKY)\b/gm)].map(([, name, how]) => `${name} ${how}`),
      ['server PASS', 'ltsp PASS'],
      said,
    );
    assert.equal(status, 0, said);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
