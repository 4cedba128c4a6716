/** The other side of line-client.ts: what a process of the bench that is written in TypeScript says and hears. */
import { createInterface } from 'node:readline';
import type { Endpoint, PayloadBytes } from './client.ts';

export const say = (event: object): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};

/**
 * Calls `begin` for each command to begin, and says what `payloadBytes` counts when it is told to. The process ends when
 * its stdin does, which is when its parent has gone.
 */
export function obey(
  begin: (peers: readonly Endpoint[]) => Promise<void>,
  payloadBytes: () => PayloadBytes = () => ({ sent: 0, received: 0 }),
): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const command = JSON.parse(line) as { begin: readonly Endpoint[] } | { tell: 'payload' };
    if ('tell' in command) {
      say({ event: 'payload', ...payloadBytes() });
      return;
    }
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
