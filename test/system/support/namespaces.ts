/** A small network of namespaces on one bridge, each with an address and an interface `eth0` whose bytes are counted. */
import { execFileSync } from 'node:child_process';
import type { TestContext } from 'node:test';

const COMMAND_TIMEOUT_MS = 10_000;
let made = 0;

const run = (...argv: readonly string[]): string =>
  execFileSync(argv[0] as string, argv.slice(1), {
    timeout: COMMAND_TIMEOUT_MS,
    encoding: 'utf8',
    stdio: 'pipe',
  });

export interface Place {
  readonly namespace: string;
  readonly address: string;
  /** Bytes that left through its interface, headers included. */
  sentBytes(): number;
}

/**
 * Makes `count` namespaces that reach each other; they go when the test ends, with all that runs in them. `IPv6`: there
 * is no IPv4, and beside the link-local addresses each has one of a site.
 */
export function makeNetwork(t: TestContext, count: number, family: 'IPv4' | 'IPv6' = 'IPv4'): Place[] {
  const name = (which: string | number): string => `swt-${process.pid}-${made}-${which}`;
  const hub = name('hub');
  made++;
  const namespaces: string[] = [];
  t.after(() => {
    for (const namespace of namespaces) remove(namespace);
  });
  const add = (namespace: string): void => {
    run('ip', 'netns', 'add', namespace);
    namespaces.push(namespace);
    run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
  };
  add(hub);
  run('ip', '-n', hub, 'link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0');
  run('ip', '-n', hub, 'link', 'set', 'br0', 'up');
  return Array.from({ length: count }, (_, index): Place => {
    const namespace = `${hub.slice(0, -3)}${index}`;
    const address = family === 'IPv4' ? `10.76.0.${index + 1}` : `fd76::${index + 1}`;
    add(namespace);
    run(
      ...['ip', '-n', hub, 'link', 'add', `v${index}`, 'type', 'veth'],
      ...['peer', 'name', 'eth0', 'netns', namespace],
    );
    run('ip', '-n', hub, 'link', 'set', `v${index}`, 'master', 'br0', 'up');
    // IPv4 has no `nodad`: the address of IPv6 is to be usable at once.
    const flags = family === 'IPv4' ? [] : ['nodad'];
    const bits = family === 'IPv4' ? 24 : 64;
    run('ip', '-n', namespace, 'address', 'add', `${address}/${bits}`, 'dev', 'eth0', ...flags);
    run('ip', '-n', namespace, 'link', 'set', 'eth0', 'up');
    const counter = ['ip', 'netns', 'exec', namespace, 'cat', '/sys/class/net/eth0/statistics/tx_bytes'];
    return { namespace, address, sentBytes: () => Number(run(...counter)) };
  });
}

/** Takes the address of a site away: only the link-local one is left, which the kernel gives and `address` is not. */
export function leaveLinkLocal({ namespace }: Place): void {
  run('ip', '-n', namespace, '-6', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
}

/** Limits what leaves a place. tc-tbf(8): bits per second, a burst of a few full frames. */
export function limitRate({ namespace }: Place, bitsPerSecond: number): void {
  run(
    ...['tc', '-n', namespace, 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf'],
    ...['rate', `${bitsPerSecond}bit`, 'burst', '32kb', 'latency', '100ms'],
  );
}

function remove(namespace: string): void {
  for (const pid of run('ip', 'netns', 'pids', namespace).split('\n')) {
    if (pid === '') continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  run('ip', 'netns', 'delete', namespace);
}
