/** UEFI firmware on a network whose DHCP server is the site's own; the image goes through the kexec in an initramfs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { AcceleratorDecision } from '../../qemu/accel.ts';
import { bootToLogin } from '../../qemu/boot-to-login.ts';
import { withLab } from '../../qemu/lab.ts';
import { CONFIG, CREDENTIALS, IMAGE, LOGIN_TIMEOUT_MS, prepare, STATE } from './prepare.ts';

/** The squashfs is there three times while kexec loads it. */
const MEMORY_MIB = 2560;

describe('a UEFI machine, ProxyDHCP, handoff by cpio', () => {
  let host: AcceleratorDecision;
  before(async () => {
    host = await prepare();
  });

  it('reaches the login of the real system', async () => {
    const options = {
      ...{ machines: 1, accelerator: host.accelerator, state: STATE, config: CONFIG, image: IMAGE },
      ...({ firmware: 'uefi', dhcp: 'proxy', memoryMiB: MEMORY_MIB } as const),
      serverArguments: ['--append', 'swarmboot.handoff=cpio'],
    };
    await withLab(options, async (lab) => {
      const machine = lab.powerOn(0);
      const outcome = await bootToLogin(machine, { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS });
      assert.ok(outcome.ok, outcome.failure ?? 'failed');
      assert.equal(outcome.timeline.handoff, 'cpio');
      assert.equal(outcome.facts?.squashfsSource, '/dev/loop0');
      // The lease came from the site, the boot file from us: else this was no ProxyDHCP.
      const log = (name: string) => readFileSync(join(lab.folder, `${name}.log`), 'utf8');
      assert.match(log('site-dhcp'), new RegExp(`DHCPACK\\(eth0\\) 10\\.77\\.0\\.1\\d\\d ${machine.mac}`));
      assert.doesNotMatch(log('dnsmasq'), /DHCPOFFER\(br0\) 10\.77\.0\.\d+ 52:54/);
      assert.match(log('dnsmasq'), /sent \S*\.efi to 10\.77\.0\.1\d\d/);
    });
  });
});
