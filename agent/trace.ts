/**
 * A trace of one machine's part in a swarm, as NDJSON: who came, who went, and which piece was had from whom when. The
 * traces of all machines together can be drawn (`scripts/bench trace`).
 *
 * Cheap: a line for a piece or a connection, nothing for a block. A trace that cannot be written is given up with one
 * warning; the download never waits for it.
 */
import { createWriteStream } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { RunningSwarm } from './engine.ts';
import type { Machine } from './machine.ts';

/** `at`: milliseconds since 1970. Addresses are `host:port`, of a peer's listener where it is known; a webseed's is its URL. */
export type TraceLine = { readonly at: number } & (
  | {
      readonly event: 'start';
      /** Hosts by which others may know this machine, and the port that it listens on. */
      readonly hosts: readonly string[];
      readonly port: number;
      readonly pieces: number;
    }
  | { readonly event: 'joined' | 'left'; readonly peer: string; readonly reason?: string }
  | { readonly event: 'piece'; readonly piece: number; readonly from: readonly string[] }
  | { readonly event: 'complete' }
);

/** What a trace listens to. */
export type TracedSwarm = Pick<RunningSwarm, 'port' | 'stats' | 'on'>;

const ownHosts = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address);

/** Calls `write` with each line of the swarm's trace from now on. */
export function traceSwarm(swarm: TracedSwarm, machine: Machine, write: (line: TraceLine) => void): void {
  const at = (): number => Math.round(machine.wallClockMs());
  write({ at: at(), event: 'start', hosts: ownHosts(), port: swarm.port, pieces: swarm.stats().pieceCount });
  swarm.on('peer', ({ address }) => write({ at: at(), event: 'joined', peer: address }));
  swarm.on('peer-closed', ({ address, reason }) => write({ at: at(), event: 'left', peer: address, reason }));
  swarm.on('piece', (piece, from) => write({ at: at(), event: 'piece', piece, from }));
  swarm.on('complete', () => write({ at: at(), event: 'complete' }));
}

/** Lines into a file that is begun anew. `failed` is called once, with a sentence, when no more will come. */
export function openTrace(path: string, failed: (message: string) => void): (line: TraceLine) => void {
  const file = createWriteStream(path);
  let broken = false;
  file.on('error', (error) => {
    if (!broken) failed(`Cannot write the trace: ${error.message}`);
    broken = true;
  });
  return (line) => {
    if (!broken) file.write(`${JSON.stringify(line)}\n`);
  };
}
