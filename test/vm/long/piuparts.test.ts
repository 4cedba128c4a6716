/**
 * Debian's own test of packages that come and go (piuparts): all of ours together are installed, removed and purged,
 * and upgraded from an older version; nothing of theirs stays, and nothing of others is touched.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildDebs } from './package/build-debs.ts';

const TIMEOUT_MS = 1_200_000;
/** Nothing has been released before: the same packages, under a version that sorts below every other. */
const OLD_VERSION = '0~before';

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    stdio: 'pipe',
    maxBuffer: 64 * 2 ** 20,
  });

let debs: string[];
const shared = mkdtempSync(join(tmpdir(), 'swarmboot-piuparts-'));
const old = join(shared, 'old');
before(() => {
  debs = buildDebs();
  // apt reads the repository as a user of its own.
  chmodSync(shared, 0o755);
  makeOldRepository(old);
});
after(() => rmSync(shared, { recursive: true, force: true }));

/** A repository of apt's flat kind in `folder`, with our packages as an older version. */
function makeOldRepository(folder: string): void {
  mkdirSync(folder);
  for (const deb of debs) {
    const tree = join(folder, 'tree');
    run('dpkg-deb', '--raw-extract', deb, tree);
    const control = join(tree, 'DEBIAN/control');
    writeFileSync(
      control,
      readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${OLD_VERSION}`),
    );
    run('dpkg-deb', '--root-owner-group', '-Znone', '--build', tree, join(folder, `old-${basename(deb)}`));
    rmSync(tree, { recursive: true });
  }
  writeFileSync(
    join(folder, 'Packages'),
    execFileSync('dpkg-scanpackages', ['--multiversion', '.'], {
      cwd: folder,
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

for (const suite of ['bookworm', 'trixie'])
  test(`in a fresh ${suite}: installed, removed, purged; upgraded, purged`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'swarmboot-piuparts-'));
    try {
      const base = join(folder, 'base.tar.gz');
      // In the base: piuparts writes no sources.list (its --extra-repo) where it keeps the one that is there.
      const list = `echo "deb [trusted=yes] file:${old} ./" >"$1"/etc/apt/sources.list.d/old.list`;
      run(
        'mmdebstrap',
        // systemd, which we depend on through others, leaves folders and links behind when it goes.
        ...[
          '--variant=minbase',
          '--include=ca-certificates,systemd',
          `--customize-hook=${list}`,
          suite,
          base,
        ],
      );
      const { status, stdout, stderr } = spawnSync(
        'piuparts',
        [
          ...['--basetgz', base, '--distribution', suite, '--keep-sources-list', '--no-eatmydata'],
          ...['--bindmount', old, '--tmpdir', folder],
          // Where debconf of Debian 13 unpacks questions before anything is installed; it is debconf's to remove.
          ...['--ignore', '/var/cache/debconf/tmp.ci/'],
          ...['--warn-on-others', ...debs],
        ],
        { encoding: 'utf8', timeout: TIMEOUT_MS, maxBuffer: 64 * 2 ** 20 },
      );
      const said = `${stdout}\n${stderr}`;
      const tail = said.split('\n').slice(-60).join('\n');
      assert.equal(status, 0, tail);
      assert.match(said, /PASS: Installation and purging test\./, tail);
      assert.match(said, /PASS: Installation, upgrade and purging tests\./, tail);
      // The upgrade was one: from the version of the repository.
      assert.match(said, new RegExp(`Unpacking swarmboot-server \\(\\S+\\) over \\(${OLD_VERSION}\\)`), tail);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
