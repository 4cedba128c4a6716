/** Strategy retain on a UEFI machine: the root image stays behind the kexec initrd. Past firmware and iPXE, for time. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { AcceleratorDecision } from '../../qemu/accel.ts';
import { bootToLogin } from '../../qemu/boot-to-login.ts';
import { withLab } from '../../qemu/lab.ts';
import { CONFIG, CREDENTIALS, IMAGE, LOGIN_TIMEOUT_MS, prepare, STATE, startStage1 } from './prepare.ts';

/** While kexec loads it, the image is there three times. */
const MEMORY_MIB = 2048;

describe('a machine without a memory region, handoff by retain', () => {
  let host: AcceleratorDecision;
  before(async () => {
    host = await prepare();
  });

  it('reaches the login of the real system, whose root is in the initrd that the kernel keeps', async () => {
    const options = {
      ...{ machines: 1, accelerator: host.accelerator, state: STATE, config: CONFIG, image: IMAGE },
      ...({ firmware: 'uefi', memoryMiB: MEMORY_MIB } as const),
    };
    await withLab(options, async (lab) => {
      const machine = await startStage1(lab, 0, 'swarmboot.handoff=retain swarmboot.linger=0');
      const outcome = await bootToLogin(machine, { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS });
      assert.ok(outcome.ok, outcome.failure ?? 'failed');
      assert.equal(outcome.timeline.handoff, 'retain');
      assert.equal(outcome.facts?.squashfsSource, '/dev/loop0');
      assert.match(outcome.facts?.cmdline ?? '', / swarmboot\.root=initrd:\d+ retain_initrd root=tmpfs/);
    });
  });
});
