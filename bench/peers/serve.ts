/** The boot server as it ships, `swarmboot serve`: manifest, tracker, seeder and webseed of the images in a state folder. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LineProcess } from '../line-process.ts';
import { type Client, START_TIMEOUT_MS } from './client.ts';

const SERVE = join(import.meta.dirname, '../../server/cli/main.ts');
const POLL_MS = 50;

export interface ServeOptions {
  readonly state: string;
  readonly config: string;
  readonly address: string;
  readonly httpPort: number;
}

interface Status {
  readonly server: {
    readonly payloadBytes: number;
    readonly images: readonly { readonly seederPort: number | null }[];
  };
}

export async function launchServe({ state, config, address, httpPort }: ServeOptions): Promise<Client> {
  const child = new LineProcess('swarmboot serve', process.execPath, [
    ...[SERVE, 'serve', '--host', address, '--http-port', String(httpPort)],
    ...['--state', state, '--config', config],
  ]);
  const status = async (): Promise<Status> => {
    const answer = await fetch(`http://${address}:${httpPort}/status`, {
      signal: AbortSignal.timeout(START_TIMEOUT_MS),
    });
    return (await answer.json()) as Status;
  };
  try {
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const port = await status().then(
        ({ server }) => server.images[0]?.seederPort ?? undefined,
        () => undefined,
      );
      if (port !== undefined)
        return {
          pid: child.pid,
          port,
          begin: async () => {},
          finished: async () => {},
          payloadBytes: async () => ({ sent: (await status()).server.payloadBytes, received: 0 }),
          close: () => child.terminate(),
        };
      if (child.child.exitCode !== null)
        throw new Error(`swarmboot serve ended with ${child.child.exitCode}: ${child.stderr}`);
      if (performance.now() > deadlineMs)
        throw new Error(`swarmboot serve does not seed after ${START_TIMEOUT_MS / 1000} s: ${child.stderr}`);
      await sleep(POLL_MS);
    }
  } catch (error) {
    await child.kill();
    throw error;
  }
}
