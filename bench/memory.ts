/**
 * What the shipped agent needs in memory while it is connected to many peers: its highest resident set, the store (a file
 * in memory, which the agent does not map) not counted.
 *
 * Usage: see USAGE. Wants a network namespace of its own, see scripts/bench.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { onExit } from '../qemu/cleanup.ts';
import { digestOf } from './digest.ts';
import { thisHost } from './host.ts';
import { LineProcess } from './line-process.ts';
import { cpuSecondsOf, peakRssBytesOf } from './measure.ts';
import { PIECE_BYTES, writeNoise } from './payload.ts';
import { AGENT } from './peers/agent.ts';
import { type Endpoint, START_TIMEOUT_MS } from './peers/client.ts';
import type { CrowdOptions } from './peers/crowd-process.ts';
import { KEY_NAME, MANIFEST_NAME, writeRelease } from './release.ts';

const USAGE = `Usage: scripts/bench memory [--connections N=50] [--size MiB=1024] [--rate MB/s=100] [--json FILE]
  --rate  that all peers send together`;
const CROWD = join(import.meta.dirname, 'peers/crowd-process.ts');
const TARGET_BYTES = 160 * 2 ** 20;
const DOWNLOAD_TIMEOUT_MS = 300_000;
/** After the last piece it still verifies and goes on seeding. */
const AFTERWARDS_MS = 2_000;

function readOptions() {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '50' },
      size: { type: 'string', default: '1024' },
      rate: { type: 'string', default: '100' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const whole = (text: string, most: number, option: string): number => {
    const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value <= most) return value;
    throw new Error(`Cannot take "${text}" for ${option}: give a whole number from 1 to ${most}`);
  };
  return {
    connections: whole(values.connections, 250, '--connections'),
    sizeBytes: whole(values.size, 16_384, '--size') * 2 ** 20,
    bytesPerSecond: whole(values.rate, 10_000, '--rate') * 1e6,
    json: values.json,
  };
}

async function main(): Promise<void> {
  const { connections, sizeBytes, bytesPerSecond, json } = readOptions();
  const root = mkdtempSync('/dev/shm/swarmboot-memory-');
  const remove = onExit(() => rmSync(root, { recursive: true, force: true }));
  const open: LineProcess[] = [];
  try {
    const source = join(root, 'seed', 'release');
    mkdirSync(source, { recursive: true });
    for (const name of ['vmlinuz', 'initrd.img']) writeFileSync(join(source, name), 'x');
    writeNoise(join(source, 'root.squashfs'), sizeBytes);
    const torrent = await writeRelease(source, join(root, 'release'), PIECE_BYTES);
    const crowdOptions: CrowdOptions = {
      torrent,
      directory: join(root, 'seed'),
      addresses: Array.from({ length: connections }, (_, index) => `10.78.0.${index + 1}`),
      bytesPerSecond: Math.ceil(bytesPerSecond / connections),
    };
    const crowd = new LineProcess('crowd', process.execPath, [CROWD, JSON.stringify(crowdOptions)]);
    open.push(crowd);
    const { peers } = await crowd.event('ready', START_TIMEOUT_MS);
    const out = join(root, 'copy');
    const agent = new LineProcess('swarmboot-agent', AGENT, [
      ...['fetch', '--json', '--no-lsd', '--linger', '3600', '--out', out],
      ...['--manifest', join(root, 'release', MANIFEST_NAME), '--key', join(root, 'release', KEY_NAME)],
      ...(peers as Endpoint[]).flatMap(({ host, port }) => ['--peer', `${host}:${port}`]),
    ]);
    open.push(agent);
    const { seconds } = await agent.event('complete', DOWNLOAD_TIMEOUT_MS);
    await agent.event('verified', DOWNLOAD_TIMEOUT_MS);
    await sleep(AFTERWARDS_MS);
    const peakRssBytes = peakRssBytesOf(agent.pid);
    const leecherCpuSeconds = cpuSecondsOf(agent.pid);
    const mostPeers = Math.max(
      ...agent.events.map(({ peers: count }) => (typeof count === 'number' ? count : 0)),
    );
    if ((await digestOf(join(out, 'root.squashfs'))) !== (await digestOf(join(source, 'root.squashfs'))))
      throw new Error('The agent says that it is done, but its copy is not the image');
    const run = {
      engine: 'agent',
      clients: 1,
      connections: mostPeers,
      sizeBytes,
      seconds,
      leecherCpuSeconds,
      peakRssBytes,
    };
    const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    console.log(
      `${mib(sizeBytes)} from ${mostPeers} peers at once in ${Number(seconds).toFixed(1)} s: peak ${mib(peakRssBytes)}, target at most ${mib(TARGET_BYTES)}: ${peakRssBytes <= TARGET_BYTES ? 'reached' : 'MISSED'}`,
    );
    if (json !== undefined)
      writeFileSync(json, `${JSON.stringify({ host: thisHost(), runs: [run] }, null, 2)}\n`);
  } finally {
    for (const child of open) await child.kill();
    remove();
  }
}

try {
  await main();
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 1;
}
