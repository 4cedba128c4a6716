/**
 * The boot of a machine, from the first interface to the jump into the real kernel:
 *
 *   network    link up, DHCP
 *   manifest   the signed description of the image, and its metainfo
 *   memory     how the image will outlive the kexec, and room for it       <-+
 *   swarm      every piece, from whoever has it                              |  a strategy that fails
 *   verify     read back, as signed                                          |  is left out next time
 *   linger     give to others while they need it                             |
 *   handoff    kexec                                                        -+
 *
 * Each phase has a deadline. What cannot go on ends on the emergency screen, which reboots.
 */
import type { Arch, Strategy } from '../contract/manifest.ts';
import { type Parameters, type ParsedCmdline, parseCmdline } from '../contract/parameters.ts';
import { BAKED_KEY_PATH } from '../contract/paths.ts';
import { type PublicKey, parsePublicKey } from '../contract/signify.ts';
import { BootError, toBootError } from './boot-error.ts';
import * as format from './console.ts';
import type { Console } from './console-writer.ts';
import { showEmergency } from './emergency.ts';
import type { Engine } from './engine.ts';
import { machineParameters } from './handoff/machine-parameters.ts';
import { systemRam } from './handoff/memory-map.ts';
import { readFirmwareMap } from './handoff/probe.ts';
import { sealOf } from './handoff/seal.ts';
import { listFolder, type Machine, readText } from './machine.ts';
import { type MemoryPeak, ramBytes, watchMemory } from './memory-peak.ts';
import { scanInterfaces } from './network/interfaces.ts';
import { handoffPhase, jump } from './phases/handoff.ts';
import { lingerPhase } from './phases/linger.ts';
import { manifestPhase, type Release } from './phases/manifest.ts';
import { memoryPhase, type Room } from './phases/memory.ts';
import { type Network, networkPhase } from './phases/network.ts';
import { runPhase, type Surroundings } from './phases/runner.ts';
import { type Download, swarmPhase } from './phases/swarm.ts';
import { verifyPhase } from './phases/verify.ts';
import { createTelemetry, httpPost, telemetryUrl } from './telemetry.ts';

const MINUTE_MS = 60_000;
/**
 * Slowest RAM or pmem that is worth waiting for, in bytes per second: the deadlines of memory, verify and handoff scale by
 * it. Phase memory tries one page in 4 MiB, and the kernel reads 128 KiB for each.
 */
const SLOWEST_BYTES_PER_SECOND = 2 * 1024 * 1024;
const TRIED_SHARE = 1 / 32;
/** A download has its own end, without progress; this is for one that trickles on for a day. */
const SWARM_LIMIT_MS = 24 * 60 * MINUTE_MS;
const LINGER_SLACK_MS = 30_000;
const CLOSE_LIMIT_MS = 5000;
/** The memory map of a large machine has dozens of ranges; the server wants to know the machine, not each hole. */
const MEMMAP_EVENT_RANGES = 64;

export interface BootSession {
  /** Ends in the real kernel or on the emergency screen; returns only if the machine would not reboot. */
  run(): Promise<void>;
  /** The emergency screen for a failure that nobody caught. */
  fail(error: unknown): Promise<void>;
}

export function createBoot(machine: Machine, console: Console, engine: Engine, arch: Arch): BootSession {
  const cmdline = parseCmdline(readText(machine, '/proc/cmdline') ?? '');
  const { parameters } = cmdline;
  const server = parameters.server ?? (parameters.manifest && new URL(parameters.manifest).origin);
  const telemetry = createTelemetry(machine, server ? httpPost(telemetryUrl(server)) : undefined);
  const around: Surroundings = { machine, console, telemetry };
  let network: Network | undefined;
  let failing: Promise<void> | undefined;

  const fail = (thrown: unknown): Promise<void> => {
    // The first failure is the cause; what breaks behind it is not shown over it.
    failing ??= showEmergency(around, {
      error: toBootError(thrown),
      rebootSeconds: parameters.reboot,
      identity: network
        ? [`${network.interface} MAC ${network.mac}`, `IP ${network.lease.address}`]
        : scanInterfaces(machine).map((nic) => `${nic.name} MAC ${nic.mac}`),
    });
    return failing;
  };

  return {
    fail,
    async run() {
      for (const complaint of cmdline.complaints) console.line(format.note(complaint));
      const memoryPeak = watchMemory(machine);
      try {
        network = await runPhase(around, 'network', parameters.retryTimeout * 1000, (context) =>
          networkPhase(context, {
            interface: parameters.interface,
            bootMac: cmdline.bootInterfaceMac,
            networkTimeoutSeconds: parameters.networkTimeout,
          }),
        );
        introduce(around, network, arch, cmdline);
        await bootImage(around, engine, parameters, { arch, network, server, memoryPeak });
      } catch (error) {
        await fail(error);
      } finally {
        memoryPeak.stop();
      }
    },
  };
}

/** Tells the server who is there. */
function introduce(
  { machine, telemetry }: Surroundings,
  network: Network,
  arch: Arch,
  cmdline: ParsedCmdline,
): void {
  const map = readFirmwareMap(machine);
  telemetry.identify(network.mac);
  telemetry.send({
    event: 'machine',
    arch,
    memoryBytes: ramBytes(machine),
    firmware: listFolder(machine, '/sys/firmware/efi').length > 0 ? 'uefi' : 'bios',
    memmap: systemRam(map)
      .slice(0, MEMMAP_EVENT_RANGES)
      .map(({ start, end }) => [start, end]),
  });
  for (const message of cmdline.complaints) {
    telemetry.send({ event: 'error', code: 'parameter', message: format.oneLine(message) });
  }
}

function readKey(machine: Machine): PublicKey {
  try {
    return parsePublicKey(`${readText(machine, BAKED_KEY_PATH) ?? ''}\n`);
  } catch (error) {
    throw new BootError(
      'no-key',
      `No key in this stage-1 at ${BAKED_KEY_PATH}: ${(error as Error).message}`,
      {
        hint: 'Build stage-1 with the public key of the boot server',
        retriable: 'no',
      },
    );
  }
}

interface Identity {
  readonly arch: Arch;
  readonly network: Network;
  readonly server: string | undefined;
  readonly memoryPeak: MemoryPeak;
}

async function bootImage(
  around: Surroundings,
  engine: Engine,
  parameters: Parameters,
  { arch, network, server, memoryPeak }: Identity,
): Promise<never> {
  const { manifest: manifestUrl, retryTimeout } = parameters;
  if (manifestUrl === undefined) {
    throw new BootError('no-manifest', 'No swarmboot.manifest= on the kernel command line: nothing to boot', {
      hint: 'Boot through the iPXE script of the boot server',
      retriable: 'no',
    });
  }
  const key = readKey(around.machine);
  const append = machineParameters(parameters, network);
  const release = await runPhase(around, 'manifest', retryTimeout * 1000, (context) =>
    manifestPhase(context, { manifestUrl, key, arch }),
  );
  const seal = sealOf(release.manifest, parameters.verity);
  const byteTimeMs = (release.metainfo.totalLength / SLOWEST_BYTES_PER_SECOND) * 1000;
  const excluded: Strategy[] = [];
  let earlier: Room | undefined;
  for (;;) {
    const room = await runPhase(around, 'memory', MINUTE_MS + byteTimeMs * TRIED_SHARE, (context) =>
      memoryPhase(context, {
        ...{ engine, release, forced: parameters.handoff, excluded, earlier },
        seed: parameters.seed,
      }),
    );
    let download: Download | undefined;
    try {
      const complete = await runPhase(around, 'swarm', SWARM_LIMIT_MS, (context) =>
        swarmPhase(context, {
          engine,
          release,
          room,
          manifestUrl,
          peers: parameters.peers,
          trackers: parameters.trackers,
          port: parameters.port,
          retryTimeoutSeconds: retryTimeout,
        }),
      );
      download = complete;
      await runPhase(around, 'verify', MINUTE_MS + byteTimeMs, (context) =>
        verifyPhase(context, { engine, release, room, download: complete }),
      );
      await runPhase(around, 'linger', lingerLimitMs(parameters), (context) =>
        lingerPhase(context, { linger: parameters.linger, release, download: complete }),
      );
      await runPhase(around, 'handoff', 2 * MINUTE_MS + byteTimeMs, (context) =>
        handoffPhase(context, {
          ...{ release, room, download: complete, append, memoryPeak },
          seal,
          seed:
            parameters.seed === 'off'
              ? undefined
              : seedOf(parameters, around.telemetry.boot, network.mac, server),
        }),
      );
      return await jump(around);
    } catch (thrown) {
      const error = toBootError(thrown);
      const closed = download?.close().catch(() => {});
      await Promise.race([closed, around.machine.sleep(CLOSE_LIMIT_MS)]);
      if (!leavesAnother(error, parameters, release, excluded, room.plan.strategy)) throw error;
      excluded.push(room.plan.strategy);
      // Verified, and then refused: the bytes are good where they are.
      earlier = error.code === 'kexec-refused' ? room : undefined;
      around.console.line(format.note(`${error.message}; trying the next way of handing over`));
      around.telemetry.send({ event: 'error', code: error.code, message: format.oneLine(error.message) });
    }
  }
}

/** What the seeder of the real system must know of this boot. */
const seedOf = (parameters: Parameters, boot: string, mac: string, server: string | undefined) => ({
  ...{ mac, boot, port: parameters.port, trackers: [...parameters.trackers] },
  ...(server === undefined ? {} : { server }),
  ...(parameters.seedRate === undefined ? {} : { rateMiB: parameters.seedRate }),
});

/** Failures that are the strategy's and not the image's or the network's. */
const STRATEGY_FAILURES = new Set(['verify-failed', 'kexec-refused']);

const leavesAnother = (
  error: BootError,
  parameters: Parameters,
  release: Release,
  excluded: readonly Strategy[],
  failed: Strategy,
): boolean =>
  STRATEGY_FAILURES.has(error.code) &&
  parameters.handoff === 'auto' &&
  release.manifest.strategies.some((strategy) => strategy !== failed && !excluded.includes(strategy));

function lingerLimitMs({ linger }: Parameters): number {
  const seconds = linger.kind === 'seconds' ? linger.seconds : 600;
  return seconds * 1000 + LINGER_SLACK_MS;
}
