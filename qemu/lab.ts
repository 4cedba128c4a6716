/** A whole lab: network, boot server, machines. Whatever happens in it, it is torn down. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Accelerator } from './accel.ts';
import { BootServer } from './boot-server.ts';
import { onExit } from './cleanup.ts';
import { Machine, type MachineOptions } from './machine.ts';
import type { Firmware, MachineArch } from './machine-arguments.ts';
import { Network } from './network.ts';
import { machineMac, tapName } from './network-plan.ts';
import { parseStatus, type Status } from './status.ts';

export interface LabOptions {
  readonly machines: number;
  readonly accelerator: Accelerator;
  /** State and configuration folders of the boot server, with stage-1 and an image in them. */
  readonly state: string;
  readonly config: string;
  /** Name of the image that machines boot. */
  readonly image: string;
  /** `amd64` unless told otherwise. */
  readonly arch?: MachineArch;
  readonly firmware?: Firmware;
  readonly memoryMiB?: number;
  readonly cpus?: number;
  readonly nic?: string;
  readonly dhcp?: 'full' | 'proxy';
  /** Rate of each machine's link in bits per second; unlimited if not given. */
  readonly linkBitsPerSecond?: number;
  /** See `BootServerOptions`; shim is what the firmware `secureboot` needs, and gets unless told otherwise. */
  readonly uefi?: 'ipxe' | 'shim';
  readonly debianRoot?: string;
  readonly serverArguments?: readonly string[];
  /** Folder for transcripts, kept in any case; else a temporary one, kept only on failure. */
  readonly transcripts?: string;
}

/**
 * systemd gives up the serial console, and with it the login prompt, if udev has not come to it after 90 s, which an
 * emulated machine on a busy host may need. For the real system (kernel-command-line(7), systemd 254 and newer).
 */
export const PATIENCE = 'systemd.default_device_timeout_sec=900';
/** The same for systemd 252, which has no such parameter: a login on /dev/console, for which it does not ask udev. */
export const PATIENCE_252 = 'systemd.mask=serial-getty@ttyS0.service systemd.wants=console-getty.service';

/** Enough for any strategy but the largest: stage-1, an image of 400 MiB and its kernel. */
export const DEFAULT_MEMORY_MIB = 1280;

export class Lab {
  readonly network: Network;
  readonly server: BootServer;
  /** Transcripts, logs and generated configuration. */
  readonly folder: string;
  readonly #options: LabOptions;
  readonly #machines: Machine[] = [];
  #closed = false;

  private constructor(options: LabOptions, folder: string, network: Network, server: BootServer) {
    this.#options = options;
    this.folder = folder;
    this.network = network;
    this.server = server;
    onExit(() => {
      if (!this.#closed) process.stderr.write(`Interrupted; transcripts are in ${folder}\n`);
    });
  }

  static async start(options: LabOptions): Promise<Lab> {
    if (options.transcripts) mkdirSync(options.transcripts, { recursive: true });
    const folder = options.transcripts ?? mkdtempSync(join(tmpdir(), 'swarmboot-lab-'));
    const { machines, linkBitsPerSecond } = options;
    const dhcp = options.dhcp ?? 'full';
    const network = Network.create({
      machines,
      site: dhcp === 'proxy',
      ...(linkBitsPerSecond === undefined ? {} : { linkBitsPerSecond }),
    });
    try {
      const server = await BootServer.start({
        ...{ network, folder, dhcp, state: options.state, config: options.config, image: options.image },
        arch: options.arch ?? 'amd64',
        uefi: options.uefi ?? (options.firmware === 'secureboot' ? 'shim' : 'ipxe'),
        ...(options.debianRoot === undefined ? {} : { debianRoot: options.debianRoot }),
        arguments: [
          ...(options.accelerator === 'tcg' ? ['--append', `swarmboot.append=${PATIENCE}`] : []),
          ...(options.serverArguments ?? []),
        ],
      });
      return new Lab(options, folder, network, server);
    } catch (error) {
      network.close();
      throw new Error(`${(error as Error).message}\nLogs are in ${folder}`, { cause: error });
    }
  }

  /** Switches machine `index` (from 0) on. `overrides` change this machine only. */
  powerOn(
    index: number,
    overrides: Partial<
      Pick<MachineOptions, 'memoryMiB' | 'lowMemoryMiB' | 'direct' | 'nic' | 'httpBoot'>
    > = {},
  ): Machine {
    const options = this.#options;
    const machine = new Machine({
      name: `machine${index + 1}`,
      accelerator: options.accelerator,
      arch: options.arch ?? 'amd64',
      firmware: options.firmware ?? 'bios',
      memoryMiB: options.memoryMiB ?? DEFAULT_MEMORY_MIB,
      cpus: options.cpus ?? 1,
      nic: options.nic ?? 'virtio-net-pci',
      mac: machineMac(index),
      tap: tapName(index),
      namespace: this.network.namespace,
      folder: this.folder,
      ...overrides,
    });
    this.#machines.push(machine);
    return machine;
  }

  async status(): Promise<Status> {
    return parseStatus(await this.server.get('/status'));
  }

  /** Tears everything down; `keep` leaves the transcripts. */
  async close(keep: boolean): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#machines.map((machine) => machine.powerOff()));
    await this.server.stop();
    this.network.close();
    if (!keep && this.#options.transcripts === undefined)
      rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs `work` in a lab. If it throws, the transcripts are kept and the message says where. */
export async function withLab<T>(options: LabOptions, work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.start(options);
  let failed = true;
  try {
    const result = await work(lab);
    failed = false;
    return result;
  } catch (error) {
    const casualty = lab.server.casualty;
    const hints = [casualty, `Transcripts are in ${lab.folder}`].filter((hint) => hint !== undefined);
    throw new Error(`${(error as Error).message}\n${hints.join('\n')}`, { cause: error });
  } finally {
    await lab.close(failed);
  }
}
