/**
 * The demo: N machines boot through PXE to the login of a real Debian, exchanging pieces on the way.
 * scripts/demo prepares what it needs; usage there. Exit status 0 only if every machine was logged in to.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { ACCELERATOR_CHOICES, type Accelerator, type AcceleratorChoice, chooseAccelerator } from './accel.ts';
import { bootLoaders } from './boot-loaders.ts';
import { bootToLogin } from './boot-to-login.ts';
import { Display, POWERED_ON } from './display.ts';
import { DEFAULT_MEMORY_MIB, type Lab, type LabOptions, withLab } from './lab.ts';
import type { Machine } from './machine.ts';
import { FIRMWARES, type Firmware } from './machine-arguments.ts';
import { makeReport, type Report, renderReport } from './report.ts';

class UsageError extends Error {}

function integer(name: string, value: string, minimum: number, maximum: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= minimum && number <= maximum))
    throw new UsageError(`--${name} takes a number from ${minimum} to ${maximum}, not "${value}"`);
  return number;
}

function oneOf<T extends string>(name: string, value: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw new UsageError(`--${name} takes ${choices.join(', ')}, not "${value}"`);
  return choice;
}

export interface DemoOptions {
  readonly clients: number;
  readonly image: string;
  readonly accel: AcceleratorChoice;
  readonly firmware: Firmware;
  readonly memoryMiB: number;
  readonly timeoutMs: number;
  /** Limit of the server's seeder in MiB/s; 0: none; undefined: one that fits the accelerator. */
  readonly serverRate: number | undefined;
  readonly state: string;
  readonly config: string;
  readonly report: string | undefined;
  readonly transcripts: string | undefined;
}

/** Parses the demo's arguments; throws `UsageError`. */
export function parseDemoArguments(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: 'string', default: '2' },
      image: { type: 'string', default: 'demo' },
      accel: { type: 'string', default: 'auto' },
      firmware: { type: 'string', default: 'bios' },
      memory: { type: 'string', default: String(DEFAULT_MEMORY_MIB) },
      timeout: { type: 'string', default: '900' },
      'server-rate': { type: 'string' },
      report: { type: 'string' },
      transcripts: { type: 'string' },
      state: { type: 'string', default: '' },
      config: { type: 'string', default: '' },
    },
  });
  return {
    clients: integer('clients', values.clients, 1, 64),
    image: values.image,
    accel: oneOf('accel', values.accel, ACCELERATOR_CHOICES),
    firmware: oneOf('firmware', values.firmware, FIRMWARES),
    memoryMiB: integer('memory', values.memory, 768, 1024 * 1024),
    timeoutMs: integer('timeout', values.timeout, 10, 86_400) * 1000,
    serverRate:
      values['server-rate'] === undefined
        ? undefined
        : integer('server-rate', values['server-rate'], 0, 100_000),
    state: values.state,
    config: values.config,
    report: values.report,
    transcripts: values.transcripts,
  };
}

/**
 * In a room the machines together are faster than the server's one link, and that is what a swarm is for. Between two
 * virtual machines and a server on the same host nothing is slow but the machines, so the server gets a limit, about
 * as fast as one machine is under this accelerator.
 */
const SERVER_RATE_MIB: Readonly<Record<Accelerator, number>> = { tcg: 8, kvm: 112 };

/** The user that `swarmboot image build` puts into a demo image. */
const CREDENTIALS = { user: 'demo', password: 'demo' };

async function boot(lab: Lab, options: DemoOptions, accelerator: string): Promise<Report> {
  const display = new Display(process.stdout);
  const journey = async (machine: Machine) => {
    display.show(machine.name, 0, POWERED_ON);
    machine.console.onLine((line) => display.line(machine.name, line.seconds, line.text));
    const outcome = await bootToLogin(machine, { credentials: CREDENTIALS, timeoutMs: options.timeoutMs });
    const detail = outcome.ok
      ? `logged in, ${outcome.facts?.kernelRelease} on ${outcome.facts?.squashfsSource}`
      : 'FAILED';
    display.show(machine.name, machine.seconds, { phase: 'login', detail, percent: 100 });
    return outcome;
  };
  const outcomes = await Promise.all(
    Array.from({ length: options.clients }, (_, n) => journey(lab.powerOn(n))),
  );
  return makeReport(outcomes, await lab.status(), {
    image: options.image,
    accelerator,
    firmware: options.firmware,
  });
}

async function main(): Promise<void> {
  const options = parseDemoArguments(process.argv.slice(2));
  const { accelerator, reason } = await chooseAccelerator(
    options.accel,
    `${options.state}/stage1/amd64/vmlinuz`,
  );
  console.log(`Machines run under ${accelerator.toUpperCase()}: ${reason}.`);
  const serverRate = options.serverRate ?? SERVER_RATE_MIB[accelerator];
  if (serverRate > 0)
    console.log(`The server's seeder sends at most ${serverRate} MiB/s, as a busy server would.\n`);
  const labOptions: LabOptions = {
    machines: options.clients,
    accelerator,
    ...{ state: options.state, config: options.config, image: options.image },
    ...{ firmware: options.firmware, memoryMiB: options.memoryMiB },
    ...(serverRate > 0 ? { serverArguments: ['--seed-rate', String(serverRate * 1024 ** 2)] } : {}),
    ...(options.firmware === 'secureboot' ? { debianRoot: await bootLoaders() } : {}),
    ...(options.transcripts === undefined ? {} : { transcripts: options.transcripts }),
  };
  await withLab(labOptions, async (lab) => {
    const report = await boot(lab, options, accelerator);
    console.log(`\n${renderReport(report)}`);
    if (options.report !== undefined) {
      mkdirSync(dirname(options.report), { recursive: true });
      writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);
    }
    const failed = report.clients.filter(({ ok }) => !ok);
    if (failed.length > 0)
      throw new Error(`${failed.length} of ${report.clients.length} machines did not reach the login`);
  });
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`demo: ${(error as Error).message}`);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}
