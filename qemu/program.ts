/**
 * A program that the lab runs: in a network namespace, its output kept, never outliving us.
 *
 * Three nets, one below the other: `stop`, the exit handler of cleanup.ts, and PR_SET_PDEATHSIG (prctl(2), set by
 * setpriv(1)) for the case that we are killed with SIGKILL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { onExit } from './cleanup.ts';

export interface ProgramOptions {
  /** For messages. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Named network namespace (ip-netns(8)) to run in. */
  readonly namespace?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** File that gets stdout and stderr. */
  readonly logFile?: string;
  /** Gets stdout and stderr as they come. */
  readonly onOutput?: (bytes: Buffer) => void;
}

export interface ProgramExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How much of a program's last output is kept for messages, in bytes. */
const TAIL_BYTES = 4096;

/** The command line that runs `argv` in `namespace` and ties its life to ours. */
export function tiedCommand(argv: readonly string[], namespace?: string): string[] {
  // nsenter and setpriv both exec: the pid that spawn returns is that of the program itself.
  const enter = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--'];
  return [...enter, 'setpriv', '--pdeathsig', 'KILL', '--', ...argv];
}

export class Program {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #log: WriteStream | undefined;
  readonly #forget: () => void;
  #tail = Buffer.alloc(0);
  /** Settles, never rejects, when the program has ended and its output was read. */
  readonly exited: Promise<ProgramExit>;
  /** Undefined while it runs. */
  exit: ProgramExit | undefined;

  constructor(options: ProgramOptions) {
    const [command = '', ...args] = tiedCommand(options.argv, options.namespace);
    this.name = options.name;
    this.#log =
      options.logFile === undefined ? undefined : createWriteStream(options.logFile, { flags: 'a' });
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: options.env ? { ...process.env, ...options.env } : process.env,
    });
    this.#child = child;
    this.#forget = onExit(() => child.kill('SIGKILL'));
    const onData = (bytes: Buffer) => {
      this.#log?.write(bytes);
      this.#tail = Buffer.concat([this.#tail, bytes]).subarray(-TAIL_BYTES);
      options.onOutput?.(bytes);
    };
    child.stdout?.on('data', onData);
    child.stderr?.on('data', onData);
    // A guest that was powered off while we typed: its exit tells more than EPIPE.
    child.stdin?.on('error', () => {});
    this.exited = new Promise((resolve) => {
      const done = (code: number | null, signal: NodeJS.Signals | null) => {
        if (this.exit) return;
        this.exit = { code, signal };
        this.#forget();
        this.#log?.end();
        resolve(this.exit);
      };
      child.once('error', (error) => {
        this.#tail = Buffer.from(`${error.message}\n`);
        done(127, null);
      });
      child.once('close', done);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its last output, for messages. */
  get tail(): string {
    return this.#tail.toString().trimEnd();
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** SIGTERM, after `graceMs` SIGKILL. Returns when it has ended, or 5 s after SIGKILL at the latest. */
  async stop(graceMs = 3000): Promise<void> {
    for (const [signal, waitMs] of [
      ['SIGTERM', graceMs],
      ['SIGKILL', 5000],
    ] as const) {
      if (this.exit) return;
      this.#child.kill(signal);
      const deadline = new AbortController();
      await Promise.race([
        this.exited,
        sleep(waitMs, undefined, { ref: false, signal: deadline.signal }).catch(() => {}),
      ]);
      deadline.abort();
    }
  }
}

/** How an exit reads in a message. */
export const describeExit = (exit: ProgramExit): string =>
  exit.signal === null ? `exit status ${exit.code}` : `signal ${exit.signal}`;
