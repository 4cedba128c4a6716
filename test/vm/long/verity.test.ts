/** The root in RAM is checked whenever it is read: a machine boots with it, and a byte that changes later is noticed. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { AcceleratorDecision } from '../../../qemu/accel.ts';
import { bootToLogin } from '../../../qemu/boot-to-login.ts';
import { withLab } from '../../../qemu/lab.ts';
import type { Machine } from '../../../qemu/machine.ts';
import { CONFIG, CREDENTIALS, IMAGE, LOGIN_TIMEOUT_MS, prepare, STATE, startStage1 } from '../prepare.ts';

const SEALED = '/dev/dm-0';
const READ_TIMEOUT_MS = 4 * 60_000;

/** What a shell on the serial console prints for `command`, up to its end. */
async function run(machine: Machine, command: string): Promise<string> {
  // What is typed is echoed: the mark is put together by the shell.
  machine.send(`${command}; m=swb; echo "$m-ended="\r`);
  const { match } = await machine.expect(/[\s\S]*?^swb-ended=/m, { timeoutMs: READ_TIMEOUT_MS });
  return match[0];
}

/** Seconds for every file of the image, read from RAM through the squashfs, with nothing in the page cache. */
async function coldReadSeconds(machine: Machine): Promise<number> {
  const read = 'find /run/swarmboot/image -xdev -type f -exec cat {} + | wc -c';
  const output = await run(machine, `echo 3 >/proc/sys/vm/drop_caches; time ${read}`);
  const time = /^real\s+(\d+)m([\d.]+)s/m.exec(output);
  assert.ok(time, output);
  return Number(time[1]) * 60 + Number(time[2]);
}

/** A root shell instead of systemd, which would read at the same time. */
async function startShell(machine: Machine): Promise<void> {
  await machine.expect(/swarmboot: root is pmem:.*\n/, { timeoutMs: LOGIN_TIMEOUT_MS });
  await machine.expect(/\/# $/m, { timeoutMs: 60_000 });
}

describe('a sealed root', () => {
  let host: AcceleratorDecision;
  before(async () => {
    host = await prepare();
  });
  const options = () => ({
    ...{ machines: 1, accelerator: host.accelerator, state: STATE, config: CONFIG, image: IMAGE },
    memoryMiB: 1024,
  });
  const shell = 'swarmboot.handoff=pmem swarmboot.linger=0 swarmboot.append="init=/bin/bash"';

  for (const { strategy, memoryMiB } of [
    { strategy: 'pmem', memoryMiB: 1024 },
    { strategy: 'retain', memoryMiB: 2048 },
  ]) {
    it(`boots to the login by ${strategy}`, async () => {
      await withLab({ ...options(), memoryMiB }, async (lab) => {
        const machine = await startStage1(
          lab,
          0,
          `swarmboot.handoff=${strategy} swarmboot.linger=0 swarmboot.verity=on`,
        );
        const outcome = await bootToLogin(machine, { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS });
        assert.ok(outcome.ok, outcome.failure ?? 'failed');
        assert.equal(outcome.timeline.handoff, strategy);
        assert.equal(outcome.facts?.squashfsSource, SEALED);
      });
    });
  }

  it('does not give a block that was changed in RAM', async () => {
    await withLab(options(), async (lab) => {
      const machine = await startStage1(lab, 0, `${shell} swarmboot.verity=on`);
      await startShell(machine);
      console.log(`cold read of all files, sealed: ${await coldReadSeconds(machine)} s`);
      const whole = `dd if=${SEALED} of=/dev/null bs=1M`;
      assert.doesNotMatch(await run(machine, whole), /error/i, 'as it was signed, it can be read');
      // Not the program that reads it: 64 KiB in the middle of the device, from its first block on.
      const damage = `dd if=/dev/zero of=/dev/pmem0 bs=4096 count=16 seek=$(($(blockdev --getsz ${SEALED}) / 16)) conv=fsync`;
      await run(machine, `cp /usr/bin/dd /dev/; ${damage}; echo 3 >/proc/sys/vm/drop_caches`);
      assert.match(await run(machine, `/dev/dd if=${SEALED} of=/dev/null bs=1M`), /Input\/output error/);
      assert.match(await run(machine, 'dmesg | tail -n 20'), /verity: .*data block \d+ is corrupted/);
    });
  });

  it('is mounted from the device itself where nobody asks for the check', async () => {
    await withLab(options(), async (lab) => {
      const machine = await startStage1(lab, 0, shell);
      await startShell(machine);
      console.log(`cold read of all files, not sealed: ${await coldReadSeconds(machine)} s`);
      assert.match(
        await run(machine, 'cat /proc/mounts'),
        /^\/dev\/pmem0 \/run\/swarmboot\/image squashfs /m,
      );
    });
  });
});
