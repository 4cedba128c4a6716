/**
 * The Debian packages, built from this checkout: lintian has nothing to say, and they install, work, upgrade and go away
 * again in a fresh bookworm and a fresh trixie.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { buildDebs, DEBS } from './package/build-debs.ts';

const INSTALL_TIMEOUT_MS = 900_000;
const debs = DEBS;

before(() => void buildDebs());

test('lintian finds no error and no warning', () => {
  const [changes] = globSync('*.changes', { cwd: debs });
  assert.ok(changes);
  const { status, stdout, stderr } = spawnSync(
    'lintian',
    ['--allow-root', '--fail-on', 'error,warning', changes],
    { cwd: debs, encoding: 'utf8', timeout: 600_000 },
  );
  assert.equal(status, 0, stdout + stderr);
});

for (const suite of ['bookworm', 'trixie'])
  test(`in a fresh ${suite}: installed, used, upgraded, purged`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'swarmboot-package-'));
    try {
      const { status, stdout, stderr } = spawnSync(
        'mmdebstrap',
        [
          ...['--variant=apt', '--include=ca-certificates'],
          ...[
            `--customize-hook=copy-in ${debs} /`,
            '--customize-hook=copy-in '.concat(`${join(import.meta.dirname, 'package/scenario.sh')} /deb`),
          ],
          '--customize-hook=chroot "$1" sh /deb/scenario.sh /deb',
          ...[suite, join(folder, 'tree.tar')],
        ],
        { encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS, maxBuffer: 64 * 2 ** 20 },
      );
      const said = `${stdout}\n${stderr}`;
      const steps = said.match(/^ok: .*$/gm) ?? [];
      assert.equal(status, 0, `after ${steps.join(', ')}:\n${said.split('\n').slice(-40).join('\n')}`);
      assert.equal(steps.length, 11, said);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
