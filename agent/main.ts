/** Entry of the single-file agent. No top-level await: the bundle in the binary is CommonJS. */
import { runCli } from './cli.ts';

const output = {
  out: (text: string): void => void process.stdout.write(text),
  err: (text: string): void => void process.stderr.write(text),
};

// A reader that went away (a closed pipe) is not a reason to die in the middle of seeding.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

void runCli(process.argv.slice(2), output).then((status) => process.exit(status));
