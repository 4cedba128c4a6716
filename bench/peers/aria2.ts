/** aria2 as a process with its JSON-RPC over a WebSocket, so that it tells of the end instead of being asked. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { LineProcess } from '../line-process.ts';
import { type Client, type ClientOptions, type PayloadBytes, START_TIMEOUT_MS } from './client.ts';
import { freePort } from './free-port.ts';

/**
 * Whether the aria2 of this machine takes that torrent for the one with this infohash. 1.36 drops the empty keys of BEP
 * 52's file tree before it hashes: on a hybrid it waits in a swarm of its own, where only other aria2 are.
 */
export const aria2Reads = (torrent: string, infohash: Buffer): boolean =>
  spawnSync('aria2c', ['--no-conf', '--show-files', torrent], {
    timeout: START_TIMEOUT_MS,
    encoding: 'utf8',
  }).stdout.includes(`Info Hash: ${infohash.toString('hex')}`);

const argumentsOf = (options: ClientOptions, port: number, rpcPort: number): string[] => [
  '--no-conf',
  '--enable-rpc',
  '--rpc-listen-all=false',
  `--rpc-listen-port=${rpcPort}`,
  `--listen-port=${port}`,
  `--interface=${options.address}`,
  `--dir=${options.directory}`,
  `--stop-with-process=${process.pid}`,
  '--enable-dht=false',
  '--enable-dht6=false',
  '--enable-peer-exchange=false',
  '--bt-enable-lpd=false',
  '--disable-ipv6=true',
  '--file-allocation=none',
  '--allow-overwrite=true',
  '--bt-max-peers=0',
  // Above this rate aria2 stops to look for peers; the default of 50 KiB/s would make it deaf to a slow swarm.
  '--bt-request-peer-speed-limit=500M',
  '--seed-ratio=0',
  '--quiet=true',
  '--summary-interval=0',
  // A seed of files that are known to be whole need not hash them first.
  ...(options.mode === 'seed' ? ['--bt-seed-unverified=true'] : []),
  ...(options.uploadBytesPerSecond === undefined
    ? []
    : [`--max-overall-upload-limit=${options.uploadBytesPerSecond}`]),
];

/** Connects to the RPC of an aria2 that is starting. */
async function openRpc(rpcPort: number, child: LineProcess): Promise<WebSocket> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const socket = new WebSocket(`ws://127.0.0.1:${rpcPort}/jsonrpc`);
    const opened = await Promise.race([
      once(socket, 'open').then(() => true),
      once(socket, 'error').then(
        () => false,
        () => false,
      ),
      child.ended,
    ]).catch(() => false);
    if (opened === true) return socket;
    if (opened !== false)
      throw new Error(`aria2c ended with ${opened} before it could be used: ${child.stderr}`);
    if (performance.now() > deadlineMs)
      throw new Error(`aria2c did not open its RPC in ${START_TIMEOUT_MS / 1000} s: ${child.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function launchAria2(options: ClientOptions): Promise<Client> {
  const port = await freePort(options.address);
  const rpcPort = await freePort('127.0.0.1');
  const child = new LineProcess(`aria2 ${options.mode}`, 'aria2c', argumentsOf(options, port, rpcPort));
  try {
    const socket = await openRpc(rpcPort, child);
    const done = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<string>();
    let told = Promise.withResolvers<PayloadBytes>();
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as {
        id?: string;
        method?: string;
        error?: unknown;
        result?: unknown;
      };
      if (message.method === 'aria2.onBtDownloadComplete') done.resolve();
      if (message.method === 'aria2.onDownloadError')
        done.reject(new Error(`aria2 gave up: ${child.stderr}`));
      if (message.id === 'tell') {
        const { uploadLength, completedLength } = message.result as Readonly<Record<string, string>>;
        told.resolve({ sent: Number(uploadLength), received: Number(completedLength) });
      }
      if (message.id !== 'add') return;
      if (message.error)
        answered.reject(new Error(`aria2 refused the torrent: ${JSON.stringify(message.error)}`));
      else answered.resolve(String(message.result));
    });
    done.promise.catch(() => {}); // told to whoever awaits `finished`
    return {
      pid: child.pid,
      port,
      // aria2 has no way to be told of a peer: it asks the tracker in the torrent.
      async begin() {
        const torrent = (await readFile(options.torrent)).toString('base64');
        socket.send(
          JSON.stringify({ jsonrpc: '2.0', id: 'add', method: 'aria2.addTorrent', params: [torrent] }),
        );
        await within(answered.promise, START_TIMEOUT_MS, 'aria2 did not take the torrent');
        // A seed that skips the hashing says that it is complete at once.
        if (options.mode === 'seed')
          await within(done.promise, START_TIMEOUT_MS, 'aria2 did not begin to seed');
      },
      finished: (timeoutMs) => within(done.promise, timeoutMs, 'aria2 did not finish'),
      async payloadBytes() {
        told = Promise.withResolvers();
        const params = [await answered.promise, ['uploadLength', 'completedLength']];
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'tell', method: 'aria2.tellStatus', params }));
        return within(told.promise, START_TIMEOUT_MS, 'aria2 did not tell its status');
      },
      async close() {
        socket.close();
        await child.kill();
      },
    };
  } catch (error) {
    await child.kill();
    throw error;
  }
}

async function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} in ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
