/** The end of a boot whose kernel Secure Boot does not let in. */
import assert from 'node:assert/strict';
import type { Lab } from '../../qemu/lab.ts';
import type { Machine } from '../../qemu/machine.ts';
import type { Status } from '../../server/machines/status.ts';

/** What such a boot server is started with, so that the countdown of the emergency screen is short. */
export const SHORT_COUNTDOWN: readonly string[] = ['--append', 'swarmboot.reboot=3'];

/**
 * Waits until the only machine of `lab` says on its screen that the kernel is refused, and that it will reboot; the server
 * must know by then. The result is the sentence on the screen.
 */
export async function expectKernelRefused(lab: Lab, machine: Machine, bootMs: number): Promise<string> {
  const { match } = await machine.expect(/^swarmboot: error (\S+): (.*)\n/m, { timeoutMs: bootMs });
  assert.equal(match[1], 'kernel-untrusted', match[0]);
  await machine.expect(/^swarmboot: rebooting in 3s$/m, { timeoutMs: 30_000 });
  const status = JSON.parse(await lab.server.get('/status')) as Status;
  assert.deepEqual(
    status.machines[0]?.errors.map(({ code }) => code),
    ['kernel-untrusted'],
    'the server knows why',
  );
  return match[2] ?? '';
}
