/** One program of a swarm, seen from outside of its namespace; machine-process.ts is the other side. */
import { join } from 'node:path';
import { type LineEvent, LineProcess } from '../line-process.ts';
import { START_TIMEOUT_MS } from '../peers/client.ts';
import type { Taken } from './machine-process.ts';
import type { Part } from './part.ts';

const SCRIPT = join(import.meta.dirname, 'machine-process.ts');
/** Some say good-bye to their tracker first. */
const CLOSE_GRACE_MS = 12_000;

export class Machine {
  readonly name: string;
  readonly #process: LineProcess;
  readonly #failed: Promise<never>;

  /** `enter`: words that run a command in its namespace. */
  static async launch(name: string, enter: readonly string[], roundTimeoutMs: number): Promise<Machine> {
    const [command = '', ...words] = [...enter, process.execPath, SCRIPT];
    const child = new LineProcess(name, command, words);
    try {
      await child.event('ready', START_TIMEOUT_MS);
      return new Machine(name, child, roundTimeoutMs);
    } catch (error) {
      await child.kill();
      throw error;
    }
  }

  private constructor(name: string, child: LineProcess, roundTimeoutMs: number) {
    this.name = name;
    this.#process = child;
    this.#failed = child.event('failed', roundTimeoutMs).then(({ message }) => {
      throw new Error(`${name}: ${message}`);
    });
    this.#failed.catch(() => {}); // told to whoever awaits something of it
  }

  /** Starts the program; resolves with the moment, on the monotonic clock, when it is up. */
  async start(part: Part, timeoutMs: number): Promise<number> {
    this.#process.send({ part, timeoutMs });
    const { startedMs } = await this.#event('running', START_TIMEOUT_MS * 2);
    return Number(startedMs);
  }

  /** Resolves with the moment when it had the image. */
  async done(timeoutMs: number): Promise<number> {
    const { doneMs } = await this.#event('done', timeoutMs);
    return Number(doneMs);
  }

  async take(): Promise<Taken> {
    const taken = this.#process.ask({ take: true }, 'taken', START_TIMEOUT_MS);
    return (await Promise.race([taken, this.#failed])) as unknown as Taken;
  }

  /** Like a power cut for the program; its network has to be cut before. */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  close(): Promise<void> {
    return this.#process.close(CLOSE_GRACE_MS);
  }

  #event(name: string, timeoutMs: number): Promise<LineEvent> {
    return Promise.race([this.#process.event(name, timeoutMs), this.#failed]);
  }
}
