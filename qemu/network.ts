/** Makes and removes the network that network-plan.ts describes. Needs root. */
import { onExit } from './cleanup.ts';
import { removeNamespace, removeOrphans, runIn } from './namespace.ts';
import {
  leftovers,
  type NetworkPlan,
  namespaceName,
  networkCommands,
  shapingArguments,
  siteNamespaceName,
} from './network-plan.ts';

let made = 0;

/** Removes namespaces whose owner (the pid in the name) is gone, with the programs in them; returns their names. */
export const removeLeftovers = (): string[] => removeOrphans(leftovers);

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
      for (const { namespace, argv } of networkCommands(network.plan)) runIn(namespace, argv);
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
    runIn(this.namespace, shapingArguments(device, bitsPerSecond));
  }

  /** Cuts a device off, or connects it again. */
  setLink(device: string, state: 'up' | 'down'): void {
    runIn(this.namespace, ['ip', 'link', 'set', device, state]);
  }

  close(): void {
    this.#remove();
  }
}
