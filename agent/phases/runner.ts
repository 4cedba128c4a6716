/**
 * Runs one phase: a start line, an end line, the same two events for the server, a deadline, and a note whenever
 * it waits long. A phase that fails throws a `BootError`; what comes then is boot.ts's decision.
 */
import type { Phase } from '../../contract/telemetry.ts';
import { BootError, toBootError } from '../boot-error.ts';
import * as format from '../console.ts';
import type { Console } from '../console-writer.ts';
import type { Machine } from '../machine.ts';
import type { Telemetry } from '../telemetry.ts';

/** Waits longer than this are named on the console, again after each such time, in milliseconds. */
export const WAIT_NOTE_MS = 10_000;

export interface Surroundings {
  readonly machine: Machine;
  readonly console: Console;
  readonly telemetry: Telemetry;
}

/** What the body of a phase is given. */
export interface PhaseContext extends Surroundings {
  /** Aborted at the deadline. */
  readonly signal: AbortSignal;
  /** machine.now() of the deadline. */
  readonly deadlineMs: number;
  note(sentence: string): void;
  /** Says what is being waited for, or that nothing is; a new text starts a new wait. */
  awaiting(what: string | undefined): void;
}

export interface Outcome<T> {
  readonly value: T;
  /** Stands behind `end ok`. */
  readonly detail: string;
}

export async function runPhase<T>(
  around: Surroundings,
  phase: Phase,
  limitMs: number,
  body: (context: PhaseContext) => Promise<Outcome<T>>,
): Promise<T> {
  const { machine, console, telemetry } = around;
  const startedMs = machine.now();
  const controller = new AbortController();
  let wait: { what: string; sinceMs: number } | undefined;
  const context: PhaseContext = {
    ...around,
    signal: controller.signal,
    deadlineMs: startedMs + limitMs,
    note: (sentence) => console.line(format.note(sentence)),
    awaiting: (what) => {
      if (what !== wait?.what) wait = what === undefined ? undefined : { what, sinceMs: machine.now() };
    },
  };
  console.line(format.phaseStart(phase));
  telemetry.send({ event: 'phase-start', phase });

  const describeWait = (): string =>
    wait
      ? `waiting for ${wait.what}, for ${Math.round((machine.now() - wait.sinceMs) / 1000)} s so far`
      : 'working';
  const watch = async (): Promise<never> => {
    for (;;) {
      const leftMs = context.deadlineMs - machine.now();
      if (leftMs <= 0) {
        throw new BootError(
          'deadline',
          `Phase ${phase} took longer than ${limitMs / 1000} s: ${describeWait()}`,
        );
      }
      await machine.sleep(Math.min(leftMs, WAIT_NOTE_MS), controller.signal);
      if (wait && machine.now() - wait.sinceMs >= WAIT_NOTE_MS) context.note(`${phase}: ${describeWait()}`);
    }
  };
  const end = (ok: boolean, detail: string): void => {
    const elapsedSeconds = (machine.now() - startedMs) / 1000;
    console.line(format.phaseEnd(phase, ok, elapsedSeconds, detail));
    telemetry.send({
      event: 'phase-end',
      phase,
      ok,
      seconds: elapsedSeconds,
      detail: format.oneLine(detail),
    });
  };
  try {
    // A body that overlooks its signal must not hold the boot: the race ends without it.
    const outcome = await Promise.race([body(context), watch()]);
    end(true, outcome.detail);
    return outcome.value;
  } catch (thrown) {
    const error = toBootError(thrown);
    end(false, error.message);
    throw error;
  } finally {
    controller.abort(new BootError('phase-over', `Phase ${phase} is over`, { retriable: 'no' }));
  }
}
