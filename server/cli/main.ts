/**
 * `swarmboot`, the command of the boot server. Each command's work is loaded when it is called.
 *
 * Exit status: 0 done, 1 it failed (one sentence on standard error says why and what to do), 2 wrong usage.
 */
import { CommanderError } from 'commander';
import { Failure } from '../failure.ts';
import { program } from './program.ts';

try {
  await program().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has printed its help or complaint by itself
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof Failure) {
    process.stderr.write(`swarmboot: ${error.message}\n`);
    process.exitCode = error.code === 'bad-option' ? 2 : 1;
  } else {
    const { code, message, stack } = error as NodeJS.ErrnoException;
    // A system error (disk full, no permission) says enough; anything else is a defect and shows where.
    process.stderr.write(`swarmboot: ${code === undefined ? (stack ?? message) : message}\n`);
    process.exitCode = 1;
  }
}
