/** Network namespaces of the lab and of the bench, by the programs ip(8) and nsenter(1). Needs root. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { isAlive } from './cleanup.ts';

const COMMAND_TIMEOUT_MS = 10_000;

export class NetworkError extends Error {
  readonly code = 'network';
}

/** Words that run a command in a namespace; the command takes the place of the program that enters it. */
export const enter = (namespace: string): string[] => ['nsenter', `--net=/run/netns/${namespace}`, '--'];

/** Runs a command that sets up or shows a network, in `namespace` or the host's; what it prints. Throws `NetworkError`. */
export function runIn(namespace: string | undefined, argv: readonly string[]): string {
  const [command = '', ...args] = namespace === undefined ? argv : [...enter(namespace), ...argv];
  try {
    return execFileSync(command, args, { timeout: COMMAND_TIMEOUT_MS, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const stderr = String((error as { stderr?: unknown }).stderr ?? '').trim();
    throw new NetworkError(
      `Cannot set up the network with "${argv.join(' ')}": ${stderr || (error as Error).message}; ` +
        'it needs root, and a kernel with bridges, veth, taps, tbf and network namespaces',
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

/** Ends what still runs in a namespace and removes it; the devices in it go with it. */
export function removeNamespace(name: string): void {
  if (!namespaces().includes(name)) return;
  for (const pid of runIn(undefined, ['ip', 'netns', 'pids', name]).split('\n')) {
    if (pid.trim() === '') continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  runIn(undefined, ['ip', 'netns', 'delete', name]);
}

/** Removes the namespaces that `leftovers` takes for those of processes that are gone; returns their names. */
export function removeOrphans(
  leftovers: (names: readonly string[], isAlive: (pid: number) => boolean) => string[],
): string[] {
  const names = leftovers(namespaces(), isAlive);
  for (const name of names) removeNamespace(name);
  return names;
}
