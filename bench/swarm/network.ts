/** Makes and removes the network that network-plan.ts describes. Needs root. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { onExit } from '../../qemu/cleanup.ts';
import {
  CONGESTION_CONTROL,
  type Command,
  leftovers,
  linkCommands,
  namespaceName,
  networkCommands,
  portName,
  sentBytesByPort,
} from './network-plan.ts';

const COMMAND_TIMEOUT_MS = 10_000;

/** Words that run a command in a namespace; the command takes the place of the program that enters it. */
export const enter = (namespace: string): string[] => ['nsenter', `--net=/run/netns/${namespace}`, '--'];

function run({ namespace, argv }: Command): string {
  const [command = '', ...args] = namespace === undefined ? argv : [...enter(namespace), ...argv];
  try {
    return execFileSync(command, args, { timeout: COMMAND_TIMEOUT_MS, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const stderr = String((error as { stderr?: unknown }).stderr ?? '').trim();
    throw new Error(
      `Cannot set up the network with "${argv.join(' ')}": ${stderr || (error as Error).message}; ` +
        'it needs root, and a kernel with bridges, veth, tbf and network namespaces',
    );
  }
}

function namespaces(): string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return [];
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Ends what still runs in a namespace and removes it; the devices in it go with it. */
function removeNamespace(name: string): void {
  if (!namespaces().includes(name)) return;
  for (const pid of run({ namespace: undefined, argv: ['ip', 'netns', 'pids', name] }).split('\n')) {
    if (pid.trim() === '') continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  run({ namespace: undefined, argv: ['ip', 'netns', 'delete', name] });
}

/** Removes namespaces whose owner is gone, with the programs in them; returns their names. */
export function removeLeftovers(): string[] {
  const names = leftovers(namespaces(), isAlive);
  for (const name of names) removeNamespace(name);
  return names;
}

const ALLOWED = '/proc/sys/net/ipv4/tcp_allowed_congestion_control';

/**
 * Runs `make` while namespaces may choose the congestion control that a Debian has by default. A kernel with another
 * default may not allow that to namespaces; only the host's own can change what is allowed.
 */
function allowing<T>(algorithm: string, make: () => T): T {
  const before = readFileSync(ALLOWED, 'utf8').trim();
  if (before.split(/\s+/).includes(algorithm)) return make();
  writeFileSync(ALLOWED, `${before} ${algorithm}`);
  try {
    return make();
  } finally {
    writeFileSync(ALLOWED, before);
  }
}

/** Bytes on the wire so far, headers included. */
export interface WireBytes {
  /** What the server sent. */
  readonly server: number;
  /** What came to each machine, the first machine first. */
  readonly machines: readonly number[];
}

export class Network {
  readonly #machines: number;
  readonly #remove: () => void;

  private constructor(machines: number) {
    this.#machines = machines;
    this.#remove = onExit(() => {
      for (let place = 0; place <= machines; place++) removeNamespace(namespaceName(process.pid, place));
      removeNamespace(namespaceName(process.pid, 'hub'));
    });
  }

  /** One at a time in a process. `ratesBitsPerSecond`: the server's link first. Leaves nothing behind if it throws. */
  static create(ratesBitsPerSecond: readonly number[]): Network {
    removeLeftovers();
    const network = new Network(ratesBitsPerSecond.length - 1);
    try {
      allowing(CONGESTION_CONTROL, () => {
        for (const command of networkCommands(process.pid, ratesBitsPerSecond)) run(command);
      });
    } catch (error) {
      network.close();
      throw error;
    }
    return network;
  }

  /** Words that run a command at the server (0) or on a machine (from 1 on). */
  enter(place: number): string[] {
    return enter(namespaceName(process.pid, place));
  }

  setRate(place: number, bitsPerSecond: number): void {
    for (const command of linkCommands(process.pid, place, bitsPerSecond)) run(command);
  }

  /** Pulls the plug of a machine's cable, or puts it back: nobody is told. */
  setLink(place: number, state: 'up' | 'down'): void {
    const argv = ['ip', 'link', 'set', portName(place), state];
    run({ namespace: namespaceName(process.pid, 'hub'), argv });
  }

  wireBytes(): WireBytes {
    const show = ['tc', '-s', '-j', 'qdisc', 'show'];
    const server = sentBytesByPort(run({ namespace: namespaceName(process.pid, 0), argv: show }));
    const ports = sentBytesByPort(run({ namespace: namespaceName(process.pid, 'hub'), argv: show }));
    const machines = Array.from(
      { length: this.#machines },
      (_, index) => ports.get(portName(index + 1)) ?? 0,
    );
    return { server: server.get('eth0') ?? 0, machines };
  }

  close(): void {
    this.#remove();
  }
}
