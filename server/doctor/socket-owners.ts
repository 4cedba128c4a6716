/** Which program listens on which port of this network namespace, from /proc (proc_pid_net(5), proc_pid_fd(5)). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type Protocol = 'tcp' | 'udp';

export interface Listener {
  readonly protocol: Protocol;
  readonly port: number;
  readonly inode: string;
}

const TCP_LISTEN = '0A';

/** Parses /proc/net/{tcp,udp,tcp6,udp6}: sockets that wait for strangers. Pure. */
export function parseListeners(text: string, protocol: Protocol): Listener[] {
  const listeners: Listener[] = [];
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local = '', remote = '', state] = fields;
    const inode = fields[9];
    if (inode === undefined || (protocol === 'tcp' && state !== TCP_LISTEN)) continue;
    if (protocol === 'udp' && !remote.endsWith(':0000')) continue; // connected: it hears one sender only
    listeners.push({ protocol, port: Number.parseInt(local.split(':')[1] ?? '', 16), inode });
  }
  return listeners;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // no IPv6, or a process that has ended meanwhile
  }
};

export interface Program {
  readonly pid: number;
  readonly name: string;
}

function inodesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? '';
      } catch {
        return '';
      }
    });
  } catch {
    return []; // another user's process, if we are not root
  }
}

/** Who listens, by `udp 67`; a port of a process that cannot be looked into has `undefined`. */
export function socketOwners(): Map<string, Program | undefined> {
  const listeners = (['tcp', 'udp'] as const).flatMap((protocol) =>
    ['', '6'].flatMap((family) => parseListeners(read(`/proc/self/net/${protocol}${family}`), protocol)),
  );
  const byInode = new Map<string, Program>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    const name = read(`/proc/${pid}/comm`).trim();
    for (const inode of inodesOf(pid)) if (inode !== '') byInode.set(inode, { pid, name });
  }
  return new Map(
    listeners.map(({ protocol, port, inode }) => [`${protocol} ${port}`, byInode.get(inode)] as const),
  );
}
