/** dnsmasq itself accepts the generated configuration, and Debian's iPXE binaries are where they should be. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'swarmboot-dnsmasq-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const check = (file: string) =>
  spawnSync('dnsmasq', ['--test', '-C', file], {
    encoding: 'utf8',
    timeout: 10_000,
    env: { PATH: '/usr/sbin:/usr/bin' },
  });

test('both modes pass dnsmasq --test, with and without router advertisements', () => {
  for (const mode of ['proxy', 'full']) {
    for (const ra of [[], ['--ra', 'fd77::/64']]) {
      const file = join(folder, `${mode}${ra.length}.conf`);
      const args = [
        'dnsmasq',
        '--interface',
        'eth0',
        '--address',
        '10.77.0.1/24',
        '--mode',
        mode,
        '--out',
        file,
      ];
      execFileSync(join(root, 'bin/swarmboot'), [...args, ...ra, '--state', folder], {
        timeout: 20_000,
        stdio: 'pipe',
      });
      const { status, stderr } = check(file);
      assert.deepEqual([status, /syntax check OK/.test(stderr)], [0, true], `${mode}: ${stderr}`);
    }
  }
  const broken = join(folder, 'broken.conf');
  writeFileSync(broken, `${readFileSync(join(folder, 'full0.conf'), 'utf8')}no-such-option\n`);
  assert.notEqual(check(broken).status, 0, 'the check can fail');
});

test('--install-ipxe copies boot files that every user can read', () => {
  const tftp = join(folder, 'tftp');
  const args = ['dnsmasq', '--interface', 'eth0', '--address', '10.77.0.1/24', '--mode', 'full'];
  execFileSync(join(root, 'bin/swarmboot'), [...args, '--tftp-root', tftp, '--install-ipxe'], {
    timeout: 20_000,
    stdio: 'pipe',
  });
  assert.equal(statSync(join(tftp, 'undionly.kpxe')).mode & 0o777, 0o644);
  assert.equal(readFileSync(join(tftp, 'ipxe.efi')).toString('latin1', 0, 2), 'MZ', 'an EFI program');
});
