/** Makes and removes the network that network-plan.ts describes. Needs root. */
import { readFileSync, writeFileSync } from 'node:fs';
import { onExit } from '../../qemu/cleanup.ts';
import { enter, removeNamespace, removeOrphans, runIn } from '../../qemu/namespace.ts';
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

const run = ({ namespace, argv }: Command): string => runIn(namespace, argv);

/** Removes namespaces whose owner is gone, with the programs in them; returns their names. */
export const removeLeftovers = (): string[] => removeOrphans(leftovers);

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
