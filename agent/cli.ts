/** What the words behind `swarmboot-agent` mean. */
import type { Arch } from '../contract/manifest.ts';
import { createBoot } from './boot.ts';
import { BootError } from './boot-error.ts';
import * as format from './console.ts';
import { openConsole } from './console-writer.ts';
import { realEngine } from './engine.ts';
import { type FetchEvent, runFetch } from './fetch.ts';
import { type FetchOptions, parseFetchOptions, UsageError } from './fetch-options.ts';
import { type Machine, readText, realMachine } from './machine.ts';
import { runPlan } from './plan-command.ts';
import { parseSeedOptions, type SeedOptions } from './seed/options.ts';
import { statusText } from './seed/report.ts';
import { runSeed, type SeedEvent } from './seed/seed.ts';
import { VERSION } from './version.ts';

const HELP = `swarmboot-agent ${VERSION}

  swarmboot-agent [boot]
      Boot this machine as the kernel command line says (swarmboot.* parameters). Only for stage-1: it takes over
      the network, starts another kernel, and reboots when it cannot.

  swarmboot-agent fetch --manifest URL|FILE --key FILE --out DIR [options]
      Download a release, verify it, keep seeding.
      --linger SECONDS      keep seeding for so long after completion (0)
      --peer HOST:PORT      connect to this peer too; may be repeated
      --listen-port PORT    TCP port for peers (0: any free one)
      --no-lsd              do not look for peers on the link by multicast (BEP 14)
      --memory-limit MIB    bound of buffered pieces
      --deadline SECONDS    fail after so long without progress (600)
      --json                events as NDJSON; the last line is the summary
      --trace FILE          who gave which piece, as NDJSON, for "scripts/bench trace"

  swarmboot-agent seed [options]
      Give others the image that this system was booted from, out of the RAM it runs from (swarmboot-seed.service).
      --state DIR           what stage-1 left (/run/swarmboot/seed)
      --config FILE         limits (/etc/swarmboot/seed.conf)
      --runtime DIR         write the file "status" there every two seconds
      --json                events as NDJSON

  swarmboot-agent plan --meminfo FILE --memmap FILE --image MANIFEST [--handoff auto|pmem|retain|cpio]
      Print how the image would go through the kexec on a machine with this /proc/meminfo and this memory map, a
      JSON list of { "start", "end" (inclusive), "type" }; "System RAM" and "pmem" are the types that matter.

  swarmboot-agent --version | --help

Exit status: 0 done, 1 failed, 2 wrong usage.
`;

export interface Output {
  out(text: string): void;
  err(text: string): void;
}

/** In an initramfs the root is still the kernel's own first file system. */
export const isStage1 = (machine: Machine): boolean =>
  (readText(machine, '/proc/mounts') ?? '').split('\n').some((line) => /^\S+ \/ rootfs /.test(line));

/** Runs one command and returns the exit status. */
export async function runCli(
  args: readonly string[],
  output: Output,
  machine: Machine = realMachine,
): Promise<number> {
  const [command, ...rest] = args;
  try {
    switch (command) {
      case undefined:
        if (!isStage1(machine)) {
          output.err(HELP);
          return 2;
        }
        return await runBoot(machine);
      case 'boot':
        return await runBoot(machine);
      case 'fetch':
        return await fetchCommand(machine, parseFetchOptions(rest), output);
      case 'seed':
        return await seedCommand(machine, parseSeedOptions(rest), output);
      case 'plan': {
        const { ok, json } = runPlan(rest);
        output.out(`${json}\n`);
        return ok ? 0 : 1;
      }
      case '--version':
        output.out(`${VERSION}\n`);
        return 0;
      case '--help':
      case '-h':
        output.out(HELP);
        return 0;
      default:
        throw new UsageError(`there is no command "${command}"`);
    }
  } catch (error) {
    output.err(`swarmboot-agent: ${(error as Error).message}\n`);
    if (!(error instanceof UsageError)) return 1;
    output.err('Try swarmboot-agent --help\n');
    return 2;
  }
}

/** Returns only if the machine would not reboot; PID 1 goes on from there. */
async function runBoot(machine: Machine): Promise<number> {
  const arch: Arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const session = createBoot(machine, openConsole('/dev/console'), realEngine, arch);
  const fail = (error: unknown): void => void session.fail(error).then(() => process.exit(1));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  // Every promise waits for something that no longer comes: without this Node would leave without a word.
  process.on('beforeExit', () =>
    fail(new BootError('stuck', 'Nothing is left to wait for', { retriable: 'no' })),
  );
  await session.run();
  return 1;
}

function describe(event: FetchEvent): string {
  switch (event.event) {
    case 'manifest':
      return format.note(`${event.release}: ${event.bytes} bytes in ${event.pieces} pieces`);
    case 'listening':
      return format.note(`listening on port ${event.port}`);
    case 'progress': {
      const { bytes, totalBytes, peers } = event.stats;
      return format.progress({ bytes, totalBytes, bytesPerSecond: event.bytesPerSecond, peers });
    }
    case 'complete':
      return format.note(`complete after ${event.seconds.toFixed(3)}s`);
    case 'verified':
      return format.note('files are as signed');
    case 'summary':
      return event.error
        ? format.error(event.error.code, event.error.message)
        : format.note(`${event.bytes} bytes, ${event.uploaded} given to others`);
    default:
      return format.note(`${event.event}: ${event.message}`);
  }
}

/** Progress as an event is flat: its fields are those of telemetry, not our inner ones. */
function toJson(event: FetchEvent): string {
  if (event.event !== 'progress') return JSON.stringify(event);
  const { stats, bytesPerSecond } = event;
  return JSON.stringify({
    event: 'progress',
    bytes: stats.bytes,
    total: stats.totalBytes,
    bytesPerSecond: Math.round(bytesPerSecond),
    peers: stats.peers,
    downloaded: stats.downloaded,
    uploaded: stats.uploaded,
    hashFailures: stats.hashFailures,
  });
}

async function fetchCommand(machine: Machine, options: FetchOptions, output: Output): Promise<number> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new BootError('interrupted', 'Interrupted', { retriable: 'no' }));
  // Ends in a summary like every other failure.
  const crash = (error: unknown): void => controller.abort(error);
  process.on('SIGINT', stop).on('SIGTERM', stop).on('uncaughtException', crash);
  try {
    const emit = (event: FetchEvent): void =>
      output.out(`${options.json ? toJson(event) : describe(event)}\n`);
    const summary = await runFetch(machine, realEngine, options, emit, controller.signal);
    return summary.ok ? 0 : 1;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('uncaughtException', crash);
  }
}

/** The journal gets the begin, the end and what is wrong; how it goes is in the status file. */
function tellSeed(event: SeedEvent, json: boolean, output: Output): void {
  if (json) output.out(`${JSON.stringify(event)}\n`);
  else if (event.event === 'warning') output.err(`${event.message}\n`);
  else if (event.event === 'withdrawn') output.err(`${event.message}; it is not given any more\n`);
  else if (event.event !== 'status') output.out(statusText(event));
}

async function seedCommand(machine: Machine, options: SeedOptions, output: Output): Promise<number> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new BootError('interrupted', 'Interrupted', { retriable: 'no' }));
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    const tell = (event: SeedEvent): void => tellSeed(event, options.json, output);
    await runSeed(machine, realEngine, options, tell, controller.signal);
    return 0;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
