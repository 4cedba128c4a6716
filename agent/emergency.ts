/**
 * The end of a boot that cannot go on: what, why, what to do, who this machine is, and a countdown to a reboot. Never
 * a prompt (nobody is there), never an exit before the countdown is over.
 */
import type { BootError } from './boot-error.ts';
import * as format from './console.ts';
import type { Surroundings } from './phases/runner.ts';

export interface Emergency {
  readonly error: BootError;
  /** Countdown in seconds; 0 keeps the screen. */
  readonly rebootSeconds: number;
  /** Lines about the machine, as `MAC 52:54:00:12:34:56`. */
  readonly identity: readonly string[];
}

const FLUSH_MS = 3000;
/** A screen that stays says every so often that it is alive, in milliseconds. */
const ALIVE_MS = 600_000;
/** What the reboot program gets before the kernel is asked directly. */
const REBOOT_LIMIT_MS = 10_000;

/** Seconds left at which the countdown is shown: the first, every tenth, the last five. */
export const isShown = (left: number, total: number): boolean =>
  left === total || left % 10 === 0 || left <= 5;

/** Returns only if the machine would not reboot; PID 1 then goes on with a countdown of its own. */
export async function showEmergency(around: Surroundings, emergency: Emergency): Promise<void> {
  const { machine, console, telemetry } = around;
  const { error, rebootSeconds, identity } = emergency;
  const message = format.oneLine(error.message);
  telemetry.send({ event: 'error', code: error.code, message });
  console.line(format.error(error.code, message));
  if (error.hint !== undefined) console.line(format.note(`what to do: ${error.hint}`));
  console.line(format.note(`this machine: ${identity.join(', ') || 'not known yet'}`));
  await telemetry.flush(FLUSH_MS);
  if (rebootSeconds === 0) {
    console.line(
      format.note('swarmboot.reboot=0 keeps this screen; switch the machine off and on to try again'),
    );
    for (;;) {
      await machine.sleep(ALIVE_MS);
      console.line(format.error(error.code, message));
    }
  }
  for (let left = rebootSeconds; left > 0; left--) {
    if (isShown(left, rebootSeconds)) console.line(format.rebooting(left));
    await machine.sleep(1000);
  }
  console.line(format.rebooting(0));
  // -f: there is no init to ask, PID 1 is a shell script.
  await Promise.race([machine.run('reboot', ['-f']), machine.sleep(REBOOT_LIMIT_MS)]);
  await machine.sleep(REBOOT_LIMIT_MS);
}
