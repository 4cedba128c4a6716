/**
 * `swarmboot`, the command of the boot server. Each command's work is loaded when it is called.
 *
 * Exit status: 0 done, 1 it failed (one sentence on standard error says why and what to do), 2 wrong usage.
 */
import { CommanderError } from 'commander';
import { Failure } from '../failure.ts';
import { errorSentence } from './error-sentence.ts';
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
    process.stderr.write(`swarmboot: ${errorSentence(error as NodeJS.ErrnoException)}\n`);
    process.exitCode = 1;
  }
}
