/** When a leecher first reaches its seeder, as the kernel sees it: the same moment whatever the program. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often the kernel is asked, in milliseconds, until there is a connection; never during the transfer. */
const POLL_MS = 1;

/** State of a listening socket in the kernel's table. */
const LISTEN = '0A';

/** Whether /proc/net/tcp shows a connection that was accepted on `port`, open or closed again. See proc_net_tcp(5). */
export function hasConnection(table: string, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state !== undefined && state !== LISTEN && (local?.endsWith(suffix) ?? false);
  });
}

/** `performance.now()` of the last look that found no connection on `port` yet. Rejects when `signal` aborts. */
export async function firstConnection(port: number, signal: AbortSignal): Promise<number> {
  for (let lookMs = performance.now(); ; ) {
    signal.throwIfAborted();
    const previousMs = lookMs;
    lookMs = performance.now();
    if (hasConnection(readFileSync('/proc/net/tcp', 'utf8'), port)) return previousMs;
    await sleep(POLL_MS);
  }
}
