/**
 * A child process that talks in lines: it prints JSON events on stdout and reads JSON commands on stdin.
 *
 * Invariant: the child ends when this process does, however that ends: the kernel sees to it (PR_SET_PDEATHSIG, see
 * setpriv(1)). `close` ends it in order, by closing its stdin, and kills what does not listen.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface LineEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface LineProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How long a child has to end after its stdin closed, in milliseconds, before it is killed. */
const GRACE_MS = 2_000;
/** Most of stderr that is kept for error messages, in characters. */
const STDERR_LIMIT = 16_384;

export class LineProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Every event that was printed so far, oldest first. */
  readonly events: LineEvent[] = [];
  /** The exit status, or the signal's name, once the child has ended and its output was read. */
  readonly ended: Promise<number | string>;
  stderr = '';
  #exit: number | string | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(name: string, command: string, args: readonly string[], options: LineProcessOptions = {}) {
    this.name = name;
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    });
    this.child.stdin?.on('error', () => {}); // EPIPE of a child that has gone: `ended` tells
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_LIMIT);
    });
    if (this.child.stdout)
      createInterface({ input: this.child.stdout }).on('line', (line) => this.#onLine(line));
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.stderr += error.message;
        resolve(-1);
      });
      this.child.on('close', (code, signal) => resolve(code ?? signal ?? -1));
    });
    void this.ended.then((exit) => {
      this.#exit = exit;
      this.#rouse();
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  send(command: object): void {
    this.child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  /** Sends a command and waits for the first event of that name that is printed afterwards; else like `event`. */
  ask(command: object, name: string, timeoutMs: number): Promise<LineEvent> {
    const seen = this.events.length;
    this.send(command);
    return this.#find(name, timeoutMs, seen);
  }

  /** The first event of that name, already printed or to come. Rejects if the child ends or `timeoutMs` pass. */
  event(name: string, timeoutMs: number): Promise<LineEvent> {
    return this.#find(name, timeoutMs, 0);
  }

  async #find(name: string, timeoutMs: number, seen: number): Promise<LineEvent> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const found = this.events.find((event, index) => index >= seen && event.event === name);
      if (found) return found;
      const why = this.stderr === '' ? '' : `; its stderr ends: ${this.stderr.slice(-2000)}`;
      if (this.#exit !== undefined)
        throw new Error(`${this.name} ended with ${this.#exit} before it said "${name}"${why}`);
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new Error(`${this.name} did not say "${name}" in ${timeoutMs / 1000} s${why}`);
      const timer = setTimeout(() => this.#rouse(), leftMs);
      await this.#wake.promise;
      clearTimeout(timer);
    }
  }

  /** Closes stdin, which asks the child to end; kills it if it does not. */
  async close(graceMs = GRACE_MS): Promise<void> {
    this.child.stdin?.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** SIGTERM, for a program that has something to tidy up; SIGKILL if it does not end. */
  async terminate(graceMs = GRACE_MS): Promise<void> {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  #onLine(line: string): void {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null && 'event' in value)
        this.events.push(value as LineEvent);
    } catch {
      this.stderr = `${this.stderr}${line}\n`.slice(-STDERR_LIMIT); // not ours: a library that prints
    }
    this.#rouse();
  }

  #rouse(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers<void>();
    resolve();
  }
}
