/** Secure Boot on: shim, GRUB, Debian's kernel as stage-1, and under its lockdown a kexec into the image's kernel. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { bootToLogin } from '../../qemu/boot-to-login.ts';
import { type LabOptions, withLab } from '../../qemu/lab.ts';
import {
  CONFIG,
  CREDENTIALS,
  IMAGE,
  LOGIN_TIMEOUT_MS,
  prepareSecureBoot,
  type SecureBootHost,
  STATE,
} from './prepare.ts';

describe('a UEFI machine with Secure Boot on', () => {
  let host: SecureBootHost;
  before(async () => {
    host = await prepareSecureBoot();
  });

  // By HTTP Boot, where every byte before the kernel passes through our own server; long/secure-boot-refusal.test.ts
  // is the one that comes by PXE.
  it('by HTTP Boot: reaches the login of the real system through shim and GRUB', async () => {
    const options: LabOptions = {
      ...{ machines: 1, accelerator: host.accelerator, state: STATE, config: CONFIG, image: IMAGE },
      ...{ firmware: 'secureboot', debianRoot: host.loaders },
    };
    await withLab(options, async (lab) => {
      const machine = lab.powerOn(0, { httpBoot: true });
      const outcome = await bootToLogin(machine, { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS });
      assert.ok(outcome.ok, outcome.failure ?? 'failed');
      assert.equal(outcome.timeline.handoff, 'pmem');
      const count = (pattern: RegExp): number =>
        machine.console.lines.filter(({ text }) => pattern.test(text)).length;
      // That Secure Boot was on is the kernels' word, each for itself, and not that of the firmware's file name.
      assert.equal(count(/secureboot: Secure boot enabled/), 2, 'stage-1 and the real system found it on');
      const locked = count(/Kernel is locked down from EFI Secure Boot/);
      assert.equal(locked, 2, 'stage-1 and the real system were locked down');
      // The firmware, shim and GRUB each fetched over HTTP: nothing went out by TFTP.
      assert.ok(count(/Start HTTP Boot over IPv4/) > 0);
      assert.equal(count(/iPXE initiali[sz]ing devices/), 0);
      const log = readFileSync(join(lab.folder, 'dnsmasq.log'), 'utf8');
      assert.match(log, /vendor class: HTTPClient/);
      assert.doesNotMatch(log, /dnsmasq-tftp.* sent /);
    });
  });
});
