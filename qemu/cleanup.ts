/**
 * Undoing, whatever way this process ends: normally, by a throw, or by a signal.
 *
 * Invariant: a step runs exactly once, the latest first, either when its owner calls what `onExit` returned or when
 * the process ends. Steps are synchronous: nothing asynchronous runs in Node's `exit` event.
 */
type Step = () => void;

const steps = new Set<Step>();
let installed = false;

/** Signal numbers of signal(7): the exit status of a process that a signal ended is 128 more. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

function runAll(): void {
  for (const step of [...steps].reverse()) {
    steps.delete(step);
    try {
      step();
    } catch (error) {
      process.stderr.write(`Cleaning up: ${(error as Error).message}\n`);
    }
  }
}

function install(): void {
  if (installed) return;
  installed = true;
  process.once('exit', runAll);
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      runAll();
      process.exit(128 + number);
    });
  }
}

/** Has `step` run at the end of the process at the latest; the result runs it now. */
export function onExit(step: Step): () => void {
  install();
  steps.add(step);
  return () => {
    if (steps.delete(step)) step();
  };
}

/** Whether a process runs, whoever's it is: what it left behind is nobody's if not. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
