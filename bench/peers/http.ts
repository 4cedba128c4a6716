/** A plain HTTP server that knows nothing of us, and curl: how images are netbooted without a swarm. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LineProcess } from '../line-process.ts';
import { type Client, START_TIMEOUT_MS } from './client.ts';
import { launchOneShot } from './one-shot.ts';

const SERVER = join(import.meta.dirname, 'http-process.ts');

export interface HttpServerOptions {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
}

export async function launchHttpServer(options: HttpServerOptions): Promise<Client> {
  const child = new LineProcess('http server', process.execPath, [SERVER, JSON.stringify(options)]);
  try {
    await child.event('ready', START_TIMEOUT_MS);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return {
    pid: child.pid,
    port: options.port,
    begin: async () => {},
    finished: async () => {},
    async payloadBytes() {
      const { sent } = await child.ask({ tell: 'payload' }, 'payload', START_TIMEOUT_MS);
      return { sent: Number(sent), received: 0 };
    },
    close: () => child.close(),
  };
}

/** `--retry`: when hundreds come at once, a SYN may be lost. */
export async function launchCurl({
  url,
  target,
}: {
  readonly url: string;
  readonly target: string;
}): Promise<Client> {
  mkdirSync(dirname(target), { recursive: true });
  return launchOneShot('curl', 'curl', [
    '--silent',
    '--show-error',
    '--fail',
    '--retry',
    '3',
    '-o',
    target,
    url,
  ]);
}
