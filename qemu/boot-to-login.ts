/** The journey of one machine from power-on to a shell of the real system, with a deadline on each leg. */
import {
  type Credentials,
  complaintAbout,
  inspectSystem,
  logIn,
  type SystemFacts,
  waitForLogin,
} from './login.ts';
import type { Machine } from './machine.ts';
import type { MachineOutcome } from './report.ts';
import { timelineOf } from './timeline.ts';

export interface JourneyOptions {
  readonly credentials: Credentials;
  /** For the whole way from power-on to the login prompt. */
  readonly timeoutMs: number;
  /** Kernel that the image has, if known. */
  readonly kernelRelease?: string;
}

/** The agent's word that it hands over; what comes behind it is the real system. */
export const HANDED_OVER = /^.*swarmboot: phase handoff: end ok .*\n/m;
/** An ending that no retry follows. */
const GAVE_UP = /^.*swarmboot: rebooting in \d+s\n/m;
/** A busy processor may run several machines that boot: a login has taken 40 s there. */
const STEP_TIMEOUT_MS = 240_000;

/** Follows the machine; never throws: a failure is part of the outcome. */
export async function bootToLogin(
  machine: Machine,
  options: JourneyOptions,
): Promise<MachineOutcome & { readonly facts: SystemFacts | undefined }> {
  let loginSeconds: number | undefined;
  let facts: SystemFacts | undefined;
  let failure: string | undefined;
  try {
    const giveUp = new AbortController();
    const remaining = () => Math.max(1, options.timeoutMs - machine.seconds * 1000);
    const gaveUp = machine
      .expect(GAVE_UP, { from: 0, timeoutMs: options.timeoutMs, signal: giveUp.signal })
      .then(({ match }) => Promise.reject(new Error(`${machine.name} gave up ("${match[0].trim()}")`)));
    gaveUp.catch(() => {});
    try {
      const handover = await Promise.race([
        machine.expect(HANDED_OVER, { from: 0, timeoutMs: options.timeoutMs }),
        gaveUp,
      ]);
      const prompt = await waitForLogin(machine, handover.end, remaining());
      loginSeconds = prompt.seconds;
      const shell = await logIn(machine, prompt, options.credentials, STEP_TIMEOUT_MS);
      facts = await inspectSystem(machine, shell, STEP_TIMEOUT_MS);
    } finally {
      giveUp.abort();
    }
    const { handoff } = timelineOf(machine.console.lines);
    failure = complaintAbout(facts, {
      handoff: handoff ?? 'pmem',
      ...(options.kernelRelease === undefined ? {} : { kernelRelease: options.kernelRelease }),
    });
  } catch (error) {
    failure = (error as Error).message;
  }
  return {
    name: machine.name,
    mac: machine.mac,
    timeline: timelineOf(machine.console.lines, loginSeconds),
    loginSeconds,
    ok: failure === undefined,
    kernelRelease: facts?.kernelRelease,
    failure,
    facts,
  };
}
