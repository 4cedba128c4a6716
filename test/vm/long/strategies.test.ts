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
  // While kexec loads it, the image is there three times.
  { strategy: 'retain', firmware: 'bios', memoryMiB: 2048, source: '/dev/loop0' },
  { strategy: 'retain', firmware: 'uefi', memoryMiB: 2048, source: '/dev/loop0' },
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
        if (strategy === 'retain')
          assert.match(
            outcome.facts?.cmdline ?? '',
            / swarmboot\.root=initrd:\d+ retain_initrd root=tmpfs/,
            'the root is in the initrd that the kernel keeps',
          );
      });
    });
  }

  // Firmware may leave less RAM in one piece below 4 GiB than stage-1 and the image need: what a strange machine gets does
  // not fit then, and what the server makes of the map that it told of does.
  it('by pmem on a machine whose RAM is in two pieces: refused at first, above 4 GiB once the server knows them', async () => {
    await withLab({ ...common(), memoryMiB: 1280 }, async (lab) => {
      const pieces = { lowMemoryMiB: 420 };
      const parameters = 'swarmboot.handoff=pmem swarmboot.linger=0 swarmboot.reboot=3';
      const first = await startStage1(lab, 0, parameters, pieces);
      const { match } = await first.expect(/^swarmboot: error \S+: (.*)\n/m, { timeoutMs: LOGIN_TIMEOUT_MS });
      // A region that is cut off between two multiples of 2 MiB, the kernel does not take at all ("misaligned, unable to map").
      assert.match(
        match[1] ?? '',
        /pmem: (?:the root image has \d+ MiB, \/dev\/pmem0 only|no \/dev\/pmem here)/,
      );
      assert.equal((await first.exited).code, 0, 'the machine reset');

      const second = await startStage1(lab, 0, parameters, pieces);
      const outcome = await bootToLogin(second, { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS });
      assert.ok(outcome.ok, outcome.failure ?? 'failed');
      assert.equal(outcome.facts?.squashfsSource, '/dev/pmem0');
      const at = Number(/ memmap=\d+M!(0x[0-9a-f]+)/.exec(outcome.facts?.cmdline ?? '')?.[1]);
      assert.ok(at >= 4 * 2 ** 30, `the region begins at ${at}`);
    });
  });
});
