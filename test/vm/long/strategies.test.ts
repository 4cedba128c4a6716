/**
 * The pairs of strategy and firmware that the quick suite leaves out, and a kexec that is refused in a real machine: the
 * next strategy takes the image that is there. Past firmware and iPXE where these are not what is tested.
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { AcceleratorDecision } from '../../../qemu/accel.ts';
import { bootToLogin } from '../../../qemu/boot-to-login.ts';
import { withLab } from '../../../qemu/lab.ts';
import { CONFIG, CREDENTIALS, IMAGE, LOGIN_TIMEOUT_MS, prepare, STATE, startStage1 } from '../prepare.ts';

const CASES = [
  { strategy: 'pmem', firmware: 'uefi', memoryMiB: 1024, source: '/dev/pmem0' },
  { strategy: 'retain', firmware: 'bios', memoryMiB: 2048, source: '/dev/loop0' },
  { strategy: 'cpio', firmware: 'bios', memoryMiB: 2560, source: '/dev/loop0' },
] as const;

describe('handoff', () => {
  let host: AcceleratorDecision;
  before(async () => {
    host = await prepare();
  });
  const common = () => ({
    ...{ machines: 1, accelerator: host.accelerator, state: STATE, config: CONFIG, image: IMAGE },
  });

  for (const { strategy, firmware, memoryMiB, source } of CASES) {
    it(`by ${strategy} on a ${firmware.toUpperCase()} machine with ${memoryMiB} MiB`, async () => {
      await withLab({ ...common(), firmware, memoryMiB }, async (lab) => {
        const machine = await startStage1(lab, 0, `swarmboot.handoff=${strategy} swarmboot.linger=0`);
        const outcome = await bootToLogin(machine, { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS });
        assert.ok(outcome.ok, outcome.failure ?? 'failed');
        assert.equal(outcome.timeline.handoff, strategy);
        assert.equal(outcome.facts?.squashfsSource, source);
      });
    });
  }

  it('by pmem in the region that a machine gets once the server knows its memory map', async () => {
    await withLab({ ...common(), memoryMiB: 1024 }, async (lab) => {
      const first = await startStage1(lab, 0, 'swarmboot.handoff=pmem swarmboot.linger=0');
      await first.expect(/^swarmboot: phase memory: end ok .*pmem.*\n/m, { timeoutMs: LOGIN_TIMEOUT_MS });
      const { machines } = await lab.status();
      assert.equal(machines.length, 1, 'the machine has told of itself');
      await first.powerOff();

      const second = await startStage1(lab, 0, 'swarmboot.handoff=pmem swarmboot.linger=0');
      const outcome = await bootToLogin(second, { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS });
      assert.ok(outcome.ok, outcome.failure ?? 'failed');
      const at = Number(/ memmap=\d+M!(0x[0-9a-f]+)/.exec(outcome.facts?.cmdline ?? '')?.[1]);
      // Not where it is on a machine that nobody knows, but at the end of the RAM.
      assert.ok(at > 800 * 2 ** 20, `the region begins at ${at}`);
    });
  });
});
