/** Makes and removes the network that network-plan.ts describes. Needs root. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { onExit } from './cleanup.ts';
import {
  leftovers,
  type NetworkPlan,
  namespaceName,
  networkCommands,
  shapingArguments,
  siteNamespaceName,
} from './network-plan.ts';

const COMMAND_TIMEOUT_MS = 10_000;
let made = 0;

export class NetworkError extends Error {
  readonly code = 'network';
}

function run(argv: readonly string[], namespace?: string): string {
  const [command = '', ...args] =
    namespace === undefined ? argv : ['nsenter', `--net=/run/netns/${namespace}`, '--', ...argv];
  try {
    return execFileSync(command, args, { timeout: COMMAND_TIMEOUT_MS, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const stderr = String((error as { stderr?: unknown }).stderr ?? '').trim();
    throw new NetworkError(
      `Cannot set up the lab's network with "${argv.join(' ')}": ${stderr || (error as Error).message}; ` +
        'it needs root, and a kernel with bridges, taps and network namespaces',
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

/** Ends what still runs in a namespace and removes it; devices in it go with it. */
function removeNamespace(name: string): void {
  if (!namespaces().includes(name)) return;
  for (const pid of run(['ip', 'netns', 'pids', name]).split('\n')) {
    if (pid.trim() === '') continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  run(['ip', 'netns', 'delete', name]);
}

/** Removes namespaces whose owner (the pid in the name) is gone, with the programs in them; returns their names. */
export function removeLeftovers(): string[] {
  const names = leftovers(namespaces(), isAlive);
  for (const name of names) removeNamespace(name);
  return names;
}

export class Network {
  readonly plan: NetworkPlan;
  readonly #remove: () => void;

  private constructor(plan: NetworkPlan) {
    this.plan = plan;
    this.#remove = onExit(() => {
      if (plan.site) removeNamespace(siteNamespaceName(plan.namespace));
      removeNamespace(plan.namespace);
    });
  }

  /** Throws `NetworkError`; nothing is left behind then. */
  static create(options: Omit<NetworkPlan, 'namespace'>): Network {
    removeLeftovers();
    const network = new Network({ ...options, namespace: namespaceName(process.pid, ++made) });
    try {
      for (const { namespace, argv } of networkCommands(network.plan)) run(argv, namespace);
    } catch (error) {
      network.close();
      throw error;
    }
    return network;
  }

  get namespace(): string {
    return this.plan.namespace;
  }

  get siteNamespace(): string {
    return siteNamespaceName(this.plan.namespace);
  }

  /** Limits what leaves through `device` (a tap: what the machine receives) to a rate. */
  shape(device: string, bitsPerSecond: number): void {
    run(shapingArguments(device, bitsPerSecond), this.namespace);
  }

  /** Cuts a device off, or connects it again. */
  setLink(device: string, state: 'up' | 'down'): void {
    run(['ip', 'link', 'set', device, state], this.namespace);
  }

  close(): void {
    this.#remove();
  }
}
