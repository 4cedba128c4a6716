/** Takes a lease with busybox udhcpc, and gives it to the kernel with `ip`. */
import { rmSync } from 'node:fs';
import { BootError } from '../boot-error.ts';
import { type Machine, pathOf, readText, writeText } from '../machine.ts';
import { LEASE_SCRIPT, type Lease, parseLease, sameNetwork } from './lease.ts';

const FOLDER = '/run/swarmboot-network';
const SCRIPT = `${FOLDER}/udhcpc-script`;

/**
 * One run of udhcpc: four discovers, three seconds apart. Resolves with the lease, or with undefined if no server
 * answered. Throws `LeaseError` for a lease that makes no sense, the signal's reason when aborted.
 */
export async function requestLease(
  machine: Machine,
  nic: string,
  signal: AbortSignal,
): Promise<Lease | undefined> {
  const lease = `${FOLDER}/${nic}.lease`;
  writeText(machine, SCRIPT, LEASE_SCRIPT, 0o755);
  rmSync(pathOf(machine, lease), { force: true });
  // -f foreground, -n exit without a lease, -q exit with one.
  const args = ['-i', nic, '-f', '-n', '-q', '-t', '4', '-T', '3', '-s', pathOf(machine, SCRIPT)];
  const result = await machine.run('udhcpc', args, {
    signal,
    environment: { SWARMBOOT_LEASE: pathOf(machine, lease) },
  });
  signal.throwIfAborted();
  const text = readText(machine, lease);
  if (text !== undefined) return parseLease(text);
  if (result.status === 0 || /no lease/i.test(result.output)) return undefined;
  throw new BootError('dhcp-client', `udhcpc on ${nic} failed: ${result.output || 'not started'}`);
}

/** `ip` with these arguments. Throws `BootError` with code `ip-failed`. */
export async function runIp(machine: Machine, args: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await machine.run('ip', args, { signal });
  signal.throwIfAborted();
  if (result.status !== 0) {
    throw new BootError(
      'ip-failed',
      `"ip ${args.join(' ')}" failed: ${result.output || `status ${result.status}`}`,
    );
  }
}

/** Address, default route and name servers of the lease, in place of what the interface had. */
export async function configureLease(
  machine: Machine,
  nic: string,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  const ip = (...args: string[]): Promise<void> => runIp(machine, args, signal);
  await ip('-4', 'addr', 'flush', 'dev', nic);
  await ip('-4', 'addr', 'add', `${lease.address}/${lease.prefixLength}`, 'broadcast', '+', 'dev', nic);
  const router = lease.routers[0];
  if (router !== undefined) {
    // Some sites hand out a /32 or a router next door; the kernel takes it once it knows on which wire it is.
    if (!sameNetwork(router, lease.address, lease.prefixLength))
      await ip('-4', 'route', 'replace', router, 'dev', nic);
    await ip('-4', 'route', 'replace', 'default', 'via', router, 'dev', nic);
  }
  writeText(
    machine,
    '/etc/resolv.conf',
    lease.nameServers.map((server) => `nameserver ${server}\n`).join(''),
  );
}
