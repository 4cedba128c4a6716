/** Phase network: link up, a DHCP lease, an address. IPv4, as PXE itself. */
import { BootError, toBootError } from '../boot-error.ts';
import { configureLease, requestLease, runIp } from '../network/dhcp.ts';
import {
  type Choice,
  chooseInterfaces,
  ethernetWithoutDriver,
  type Interface,
  scanInterfaces,
} from '../network/interfaces.ts';
import type { Lease } from '../network/lease.ts';
import { retry } from '../retry.ts';
import type { Outcome, PhaseContext } from './runner.ts';

export interface NetworkOptions {
  readonly interface: string | undefined;
  readonly bootMac: string | undefined;
  readonly networkTimeoutSeconds: number;
}

export interface Network {
  readonly interface: string;
  readonly mac: string;
  readonly lease: Lease;
}

/** Drivers load late and carriers come slowly: the list is read anew this often, in milliseconds. */
const SCAN_MS = 250;
/** How long BOOTIF's interface may take to appear before any other one is good enough. */
const BOOT_INTERFACE_MS = 10_000;
/** Between two runs of udhcpc on one interface. */
const LEASE_RETRY_MS = 2000;
const BACKOFF = { firstMs: 1000, maximumMs: 10_000 };

export function networkPhase(context: PhaseContext, options: NetworkOptions): Promise<Outcome<Network>> {
  const { machine, signal } = context;
  return retry(
    machine,
    {
      backoff: BACKOFF,
      untilMs: context.deadlineMs,
      signal,
      onFailure: (error) => context.note(`${error.message}; starting over`),
    },
    async () => {
      const network = await connect(context, options);
      const { address, prefixLength, routers } = network.lease;
      context.awaiting(undefined);
      return {
        value: network,
        detail: `${network.interface} ${network.mac} ${address}/${prefixLength} via ${routers[0] ?? 'no router'}`,
      };
    },
  );
}

/** One try: the first interface with a lease wins, the others are given up. */
async function connect(context: PhaseContext, options: NetworkOptions): Promise<Network> {
  const { machine } = context;
  const startedMs = machine.now();
  const timeoutMs = options.networkTimeoutSeconds * 1000;
  const others = new AbortController();
  const signal = AbortSignal.any([context.signal, others.signal]);
  const leased = Promise.withResolvers<{ nic: Interface; lease: Lease }>();
  leased.promise.catch(() => {}); // whoever loses the race below is not waited for
  const running = new Map<string, Promise<void>>();
  const raised = new Set<string>();
  let lastComplaint: BootError | undefined;

  const pursue = async (nic: Interface): Promise<void> => {
    while (!signal.aborted) {
      try {
        const lease = await requestLease(machine, nic.name, signal);
        if (lease) return leased.resolve({ nic, lease });
      } catch (thrown) {
        if (signal.aborted) return;
        lastComplaint = toBootError(thrown);
        context.note(`${lastComplaint.message} (${nic.name})`);
      }
      await machine.sleep(LEASE_RETRY_MS, signal).catch(() => {});
    }
  };

  const scan = async (): Promise<never> => {
    for (;;) {
      const elapsedMs = machine.now() - startedMs;
      const all = scanInterfaces(machine);
      const choice = chooseInterfaces(all, options.interface, options.bootMac, elapsedMs < BOOT_INTERFACE_MS);
      for (const nic of choice.interfaces) {
        if (raised.has(nic.name)) continue;
        raised.add(nic.name);
        context.note(`using ${nic.name} ${nic.mac} (${choice.by})`);
        await runIp(machine, ['link', 'set', 'dev', nic.name, 'up'], signal).catch((error: Error) => {
          raised.delete(nic.name);
          if (!signal.aborted) context.note(error.message);
        });
      }
      for (const nic of scanInterfaces(machine)) {
        // `unknown` of an interface that is up: its driver does not tell, so DHCP has to find out.
        if (!raised.has(nic.name) || nic.carrier === 'no' || running.has(nic.name)) continue;
        running.set(nic.name, pursue(nic));
      }
      context.awaiting(describe(choice, all, running));
      if (elapsedMs >= timeoutMs) throw lastComplaint ?? explain(context, choice, all, running, options);
      await machine.sleep(SCAN_MS, signal);
    }
  };

  try {
    const { nic, lease } = await Promise.race([leased.promise, scan()]);
    others.abort();
    await Promise.all(running.values());
    await configureLease(machine, nic.name, lease, context.signal);
    return { interface: nic.name, mac: nic.mac, lease };
  } finally {
    others.abort();
  }
}

const names = (interfaces: Iterable<string>): string => [...interfaces].join(', ');

function describe(choice: Choice, all: readonly Interface[], running: ReadonlyMap<string, unknown>): string {
  if (choice.interfaces.length === 0) {
    return all.length === 0 ? 'a network interface to appear' : `the interface of ${choice.by}`;
  }
  if (running.size > 0) return `a DHCP lease on ${names(running.keys())}`;
  return `carrier on ${names(choice.interfaces.map((nic) => nic.name))}`;
}

/** The failure that fits what was seen, each with its own remedy. */
function explain(
  context: PhaseContext,
  choice: Choice,
  all: readonly Interface[],
  running: ReadonlyMap<string, unknown>,
  options: NetworkOptions,
): BootError {
  const within = `within ${options.networkTimeoutSeconds} s`;
  if (choice.interfaces.length === 0 && all.length > 0) {
    const seen = names(all.map((nic) => `${nic.name} ${nic.mac}`));
    return new BootError(
      'no-such-interface',
      `No interface fits ${choice.by} ${within}; there are: ${seen}`,
      {
        hint: 'Correct swarmboot.interface= on the kernel command line',
      },
    );
  }
  if (choice.interfaces.length === 0) {
    const cards = ethernetWithoutDriver(context.machine);
    return new BootError(
      'no-interface',
      cards.length > 0
        ? `No wired network interface ${within}: no driver took Ethernet device ${names(cards)}`
        : `No wired network interface ${within}, and no Ethernet device on the PCI bus`,
      { hint: 'Add the driver of this PCI id to the stage-1 build, or use another network card' },
    );
  }
  if (running.size === 0) {
    return new BootError(
      'no-carrier',
      `No carrier on ${names(choice.interfaces.map((nic) => nic.name))} ${within}`,
      {
        hint: 'Check the cable and the switch port',
      },
    );
  }
  return new BootError('no-lease', `No DHCP lease on ${names(running.keys())} ${within}`, {
    hint: 'Check that a DHCP server serves this network, and that the switch port forwards (spanning tree: portfast)',
  });
}
