/**
 * A program whose whole life is one transfer, such as curl. What /proc knows of a process goes with it, so a shell waits
 * for the program, says that it is done, and stays until it is closed: its /proc/PID/stat holds the program's CPU time.
 */
import { LineProcess } from '../line-process.ts';
import type { Client } from './client.ts';

const HOLDER = '"$@" </dev/null >&2 && echo \'{"event":"done"}\' && read -r _';

export async function launchOneShot(name: string, command: string, args: readonly string[]): Promise<Client> {
  const child = new LineProcess(name, 'sh', ['-c', HOLDER, 'sh', command, ...args]);
  return {
    pid: child.pid,
    isOneShot: true,
    port: 0,
    begin: async () => {},
    async finished(timeoutMs) {
      await child.event('done', timeoutMs);
    },
    close: () => child.close(),
  };
}
