/**
 * Runs one program of a swarm from inside its network namespace, where alone its RPC can be reached, and tells when it
 * began, when it was done, and what it took.
 *
 * Events: ready; running {startedMs}; done {doneMs}; failed {message}; taken {...Taken}. Commands, a line each:
 * {"part": Part, "timeoutMs"} once, {"take": true}.
 * Times are those of the monotonic clock, which all processes of a host share.
 *
 * Usage: node machine-process.ts
 */
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { cpuSecondsOf, peakRssBytesOf } from '../measure.ts';
import type { Client } from '../peers/client.ts';
import { say } from '../peers/commands.ts';
import { type CpuSample, middleCoreShare, SAMPLE_MS } from './core-share.ts';
import { monotonicMs } from './monotonic.ts';
import type { Part } from './part.ts';
import { PROGRAMS } from './programs.ts';

/** What a program has used and moved when it was asked. */
export interface Taken {
  readonly cpuSeconds: number;
  /** See core-share.ts. */
  readonly coreShare: number | null;
  readonly peakRssBytes: number | null;
  readonly sentBytes: number | null;
  readonly receivedBytes: number | null;
}

let client: Client | undefined;
let coreShare: number | undefined;

async function run(part: Part, timeoutMs: number): Promise<void> {
  mkdirSync(part.directory, { recursive: true });
  const startedMs = monotonicMs();
  client = await PROGRAMS[part.program](part);
  await client.begin([]);
  say({ event: 'running', startedMs });
  if (part.mode === 'seed') return;
  const samples: CpuSample[] = [];
  const { pid, isOneShot } = client;
  // Of a program that a shell waits for, the kernel tells only at its end.
  const look = (): void => {
    if (pid === undefined || isOneShot) return;
    try {
      samples.push({ ms: monotonicMs(), cpuSeconds: cpuSecondsOf(pid) });
    } catch {} // it has ended, which `finished` tells
  };
  const timer = setInterval(look, SAMPLE_MS);
  await client.finished(timeoutMs).finally(() => clearInterval(timer));
  const doneMs = monotonicMs();
  coreShare = middleCoreShare(samples, startedMs, doneMs);
  say({ event: 'done', doneMs });
}

async function take(): Promise<Taken> {
  const moved = await client?.payloadBytes?.();
  const pid = client?.pid;
  return {
    cpuSeconds: pid === undefined ? 0 : cpuSecondsOf(pid),
    coreShare: coreShare ?? null,
    peakRssBytes: pid === undefined || client?.isOneShot ? null : peakRssBytesOf(pid),
    sentBytes: moved?.sent ?? null,
    receivedBytes: moved?.received ?? null,
  };
}

const failed = (error: Error): void => say({ event: 'failed', message: error.message });
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const command = JSON.parse(line) as { part: Part; timeoutMs: number } | { take: true };
  if ('part' in command) run(command.part, command.timeoutMs).catch(failed);
  else take().then((taken) => say({ event: 'taken', ...taken }), failed);
});
lines.on('close', () => {
  const end = (): void => process.exit(0);
  if (client) client.close().then(end, end);
  else end();
});
say({ event: 'ready' });
