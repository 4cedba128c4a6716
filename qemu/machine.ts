/** One QEMU machine with its serial console. Diskless; it ends with us, or when it resets. */
import { copyFileSync, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Console, type ExpectOptions, type Found } from './console.ts';
import { type MachinePlan, machineArguments, QEMU, UEFI } from './machine-arguments.ts';
import { describeExit, Program, type ProgramExit } from './program.ts';

export interface MachineOptions extends Omit<MachinePlan, 'uefiVariables' | 'screenSocket'> {
  /** Network namespace that the tap is in. */
  readonly namespace: string;
  /** Folder for transcript and UEFI variables: `<name>.console` and `<name>.vars`. */
  readonly folder: string;
  /** Has a graphics card, and `<name>.screen` in the folder is the socket for `Screen.connect`. */
  readonly screen?: boolean;
}

export class Machine {
  readonly name: string;
  readonly mac: string;
  readonly console: Console;
  readonly transcript: string;
  readonly screenSocket: string | undefined;
  readonly #program: Program;
  readonly #poweredOn = performance.now();

  constructor(options: MachineOptions) {
    const { namespace, folder, screen = false, ...rest } = options;
    const plan: MachinePlan = screen ? { ...rest, screenSocket: join(folder, `${rest.name}.screen`) } : rest;
    this.screenSocket = plan.screenSocket;
    this.name = plan.name;
    this.mac = plan.mac;
    this.transcript = join(folder, `${plan.name}.console`);
    this.console = new Console(() => this.seconds);
    const transcript = createWriteStream(this.transcript);
    this.console.onLine((line) =>
      transcript.write(`[${line.seconds.toFixed(3).padStart(8)}] ${line.text}\n`),
    );
    let complete: MachinePlan = plan;
    if (plan.firmware !== 'bios') {
      const uefiVariables = join(folder, `${plan.name}.vars`);
      copyFileSync(UEFI[plan.arch][plan.firmware].variables, uefiVariables);
      complete = { ...plan, uefiVariables };
    }
    this.#program = new Program({
      name: `qemu ${plan.name}`,
      argv: [QEMU[plan.arch], ...machineArguments(complete)],
      namespace,
      onOutput: (bytes) => this.console.feed(bytes),
    });
    this.#program.exited.then((exit) => {
      this.console.close(`Machine ${plan.name} ended (${describeExit(exit)})`);
      transcript.end();
    });
  }

  /** Seconds since power-on. */
  get seconds(): number {
    return (performance.now() - this.#poweredOn) / 1000;
  }

  /** See `Console.expect`; fails as soon as the machine ends. */
  expect(pattern: RegExp, options: ExpectOptions): Promise<Found> {
    return this.console.expect(pattern, options);
  }

  /** Types on the serial console. */
  send(text: string): void {
    this.#program.write(text);
  }

  get exited(): Promise<ProgramExit> {
    return this.#program.exited;
  }

  get isRunning(): boolean {
    return this.#program.exit === undefined;
  }

  /** Pulls the plug: a diskless machine has nothing to lose. */
  powerOff(): Promise<void> {
    return this.#program.stop();
  }
}
