/** transmission-daemon with a configuration of its own, driven through its RPC. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LineProcess } from '../line-process.ts';
import { type Client, type ClientOptions, type PayloadBytes, START_TIMEOUT_MS } from './client.ts';
import { freePort } from './free-port.ts';

/** How often Transmission is asked how far it is, in milliseconds; it cannot tell by itself without a script. */
const POLL_MS = 25;
/** It says goodbye to its trackers first. In milliseconds. */
const CLOSE_GRACE_MS = 10_000;
/** `status` of an entry in the answer of torrent-get: seeding. */
const SEEDING = 6;

const settingsOf = (options: ClientOptions, port: number, rpcPort: number): object => ({
  'bind-address-ipv4': options.address,
  'bind-address-ipv6': '::1',
  'dht-enabled': false,
  'lpd-enabled': false,
  'pex-enabled': false,
  'utp-enabled': false,
  'port-forwarding-enabled': false,
  'blocklist-enabled': false,
  'download-dir': options.directory,
  'incomplete-dir-enabled': false,
  'start-added-torrents': true,
  encryption: 0,
  'peer-port': port,
  'peer-port-random-on-start': false,
  'peer-limit-global': 500,
  'peer-limit-per-torrent': 100,
  'speed-limit-down-enabled': false,
  'speed-limit-up-enabled': options.uploadBytesPerSecond !== undefined,
  'speed-limit-up': Math.ceil((options.uploadBytesPerSecond ?? 0) / 1000),
  'ratio-limit-enabled': false,
  'idle-seeding-limit-enabled': false,
  'download-queue-enabled': false,
  'cache-size-mb': 64,
  preallocation: 0,
  'rpc-enabled': true,
  'rpc-bind-address': '127.0.0.1',
  'rpc-port': rpcPort,
  'rpc-whitelist-enabled': true,
  'rpc-whitelist': '127.0.0.1',
  'rpc-host-whitelist-enabled': false,
  'rpc-authentication-required': false,
  umask: 18,
});

/** How a program of Transmission is called: itself, and words that go before its own arguments. */
export type CommandOf = (program: string) => readonly [string, ...string[]];
const installed: CommandOf = (program) => [program];

/**
 * Whether the Transmission of this machine reads that torrent. 3.00, which Debian 12 has, takes no hybrid: its
 * decoder stumbles over the empty keys of BEP 52's file tree (transmission#1964, mended in 4.0).
 */
export const transmissionReads = (torrent: string, command: CommandOf = installed): boolean => {
  const [program, ...args] = command('transmission-show');
  return spawnSync(program, [...args, torrent], { timeout: START_TIMEOUT_MS }).status === 0;
};

/** One session of Transmission's RPC, see its rpc-spec: a 409 hands out the session id to come back with. */
class Rpc {
  readonly #url: string;
  #session = '';

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/transmission/rpc`;
  }

  async call(method: string, parameters: object): Promise<Record<string, unknown>> {
    for (let attempt = 0; ; attempt++) {
      const answer = await fetch(this.#url, {
        method: 'POST',
        headers: { 'X-Transmission-Session-Id': this.#session },
        body: JSON.stringify({ method, arguments: parameters }),
        signal: AbortSignal.timeout(START_TIMEOUT_MS),
      });
      const text = await answer.text();
      this.#session = answer.headers.get('x-transmission-session-id') ?? this.#session;
      if (answer.status === 409 && attempt === 0) continue;
      const { result, arguments: values } = JSON.parse(text) as {
        result: string;
        arguments: Record<string, unknown>;
      };
      if (result !== 'success') throw new Error(`Transmission refused "${method}": ${result}`);
      return values;
    }
  }

  async payloadBytes(): Promise<PayloadBytes> {
    const { torrents } = (await this.call('torrent-get', { fields: ['uploadedEver', 'downloadedEver'] })) as {
      torrents: { uploadedEver: number; downloadedEver: number }[];
    };
    return { sent: torrents[0]?.uploadedEver ?? 0, received: torrents[0]?.downloadedEver ?? 0 };
  }

  async progress(): Promise<{ status: number; left: number; error: string }> {
    const fields = ['status', 'leftUntilDone', 'haveUnchecked', 'errorString', 'metadataPercentComplete'];
    const { torrents } = (await this.call('torrent-get', { fields })) as {
      torrents: { status: number; leftUntilDone: number; errorString: string }[];
    };
    const torrent = torrents[0];
    if (!torrent) throw new Error('Transmission has no torrent');
    return { status: torrent.status, left: torrent.leftUntilDone, error: torrent.errorString };
  }
}

/** Asks `question` until it says yes. Connection errors count as no: the daemon may be starting. */
async function until(
  question: () => Promise<boolean>,
  timeoutMs: number,
  child: LineProcess,
  what: string,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      if (await question()) return;
    } catch (error) {
      last = (error as Error).message;
    }
    if (child.child.exitCode !== null)
      throw new Error(`${what}: it ended with ${child.child.exitCode}: ${child.stderr}`);
    if (performance.now() > deadlineMs)
      throw new Error(`${what} in ${timeoutMs / 1000} s ${last}: ${child.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The Transmission that is installed, or the one that `command` calls. */
export async function launchTransmission(
  options: ClientOptions,
  command: CommandOf = installed,
): Promise<Client> {
  const configuration = await mkdtemp(join(tmpdir(), 'swarmboot-transmission-'));
  const port = await freePort(options.address);
  const rpcPort = await freePort('127.0.0.1');
  await writeFile(join(configuration, 'settings.json'), JSON.stringify(settingsOf(options, port, rpcPort)));
  const [program, ...args] = command('transmission-daemon');
  const child = new LineProcess(`transmission ${options.mode}`, program, [
    ...args,
    '--foreground',
    '--log-error',
    '--config-dir',
    configuration,
  ]);
  const close = async (): Promise<void> => {
    // It keeps a lock file per session in the folder for temporary files, and removes it when it is asked to end.
    await child.terminate(CLOSE_GRACE_MS);
    await rm(configuration, { recursive: true, force: true });
  };
  try {
    const rpc = new Rpc(rpcPort);
    const isUp = async () => (await rpc.call('session-get', {})) !== undefined;
    await until(isUp, START_TIMEOUT_MS, child, 'Transmission did not open its RPC');
    return {
      pid: child.pid,
      port,
      // Transmission cannot be told of a peer: it asks the tracker in the torrent.
      async begin() {
        const metainfo = (await readFile(options.torrent)).toString('base64');
        await rpc.call('torrent-add', { metainfo, paused: false, 'download-dir': options.directory });
        if (options.mode === 'leech') return;
        const isSeeding = async () => (await rpc.progress()).status === SEEDING;
        await until(isSeeding, START_TIMEOUT_MS, child, 'Transmission did not begin to seed');
      },
      finished: (timeoutMs) =>
        until(
          async () => {
            const { status, left } = await rpc.progress();
            return status === SEEDING && left === 0;
          },
          timeoutMs,
          child,
          'Transmission did not finish',
        ),
      payloadBytes: () => rpc.payloadBytes(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
