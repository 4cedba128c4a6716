/** The other side of line-client.ts: what a process of the bench that is written in TypeScript says and hears. */
import { createInterface } from 'node:readline';
import type { Endpoint } from './client.ts';

export const say = (event: object): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};

/** Calls `begin` for each command. The process ends when its stdin does, which is when its parent has gone. */
export function obey(begin: (peers: readonly Endpoint[]) => Promise<void>): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const command = JSON.parse(line) as { begin: readonly Endpoint[] };
    begin(command.begin).then(
      () => say({ event: 'begun' }),
      (error: Error) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  lines.on('close', () => process.exit(0));
}
