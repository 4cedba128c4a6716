/** The bounds that no BitTorrent client passes: a plain socket, or HTTP, with the same hashes and the same file. */
import { join } from 'node:path';
import type { Client, ClientOptions, Endpoint, LaunchClient } from './client.ts';
import { launchLineClient } from './line-client.ts';

const script = join(import.meta.dirname, 'raw-process.ts');

export interface RawOptions {
  readonly mode: 'seed' | 'leech';
  /** Address to listen on. */
  readonly address: string;
  /** TCP port to listen on; 0: any. */
  readonly port: number;
  /** The file that is sent, or written. */
  readonly path: string;
}

const launch = (protocol: 'raw' | 'http', options: RawOptions): ReturnType<typeof launchLineClient> =>
  launchLineClient(protocol, process.execPath, [script, protocol], options);

const ofBench = ({ mode, address, directory }: ClientOptions): RawOptions => ({
  ...{ mode, address, port: 0 },
  path: join(directory, 'bench', 'payload.bin'),
});

export const launchRaw: LaunchClient = (options) => launch('raw', ofBench(options));
export const launchHttp: LaunchClient = (options) => launch('http', ofBench(options));

export const launchRawServer = (options: Omit<RawOptions, 'mode'>): Promise<Client> =>
  launchSilent({ ...options, mode: 'seed' }, []);

/** Takes the file from `server` when it is told to begin. */
export const launchRawLeech = (path: string, server: Endpoint): Promise<Client> =>
  launchSilent({ mode: 'leech', address: '', port: 0, path }, [server]);

/** It does not count payload. */
async function launchSilent(options: RawOptions, peers: readonly Endpoint[]): Promise<Client> {
  const { pid, port, begin, finished, close } = await launch('raw', options);
  return { pid, port, begin: () => begin(peers), finished, close };
}
