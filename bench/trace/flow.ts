/**
 * The traces of a swarm's machines, replayed together: who gave what to whom, and when. Pure.
 *
 * Invariant: every piece that a trace has counts once; where several gave blocks of it, each of them gave an equal part.
 */
import type { Trace } from './read.ts';

/** Whoever is not among the traces: the server, its webseed, machines whose trace is missing. */
export interface Giver {
  readonly name: string;
  /** Index among the traces; undefined for others. */
  readonly machine: number | undefined;
}

export interface Gift {
  /** Milliseconds since the first machine's start. */
  readonly atMs: number;
  /** Index of the giver. */
  readonly giver: number;
  /** Index of the trace. */
  readonly taker: number;
  /** Of a piece, 0 to 1. */
  readonly share: number;
}

export interface Flow {
  /** Others first, then the machines in the order of their traces. */
  readonly givers: readonly Giver[];
  readonly takers: readonly {
    readonly name: string;
    readonly startMs: number;
    readonly completeMs: number | undefined;
  }[];
  readonly pieces: number;
  readonly gifts: readonly Gift[];
  readonly endMs: number;
}

/** Without port, brackets and the zone of a link-local address, which is a name of the taker's own for its card. */
const hostOf = (address: string): string =>
  address
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .replace(/%.*$/, '');
/** Loopback is the host of many. */
const isShared = (host: string): boolean => host.startsWith('127.') || host === '::1';

export function flowOf(traces: readonly Trace[]): Flow {
  const beganAt = Math.min(...traces.map(({ startedAt }) => startedAt));
  const byAddress = new Map<string, number>();
  for (const [index, { hosts, port }] of traces.entries())
    for (const host of hosts) {
      byAddress.set(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, index);
      // Before a peer has told where it listens it is known by a port of the moment.
      if (!isShared(host)) byAddress.set(host, index);
    }
  const machineAt = (address: string): number | undefined =>
    byAddress.get(address) ?? byAddress.get(hostOf(address));
  const addresses = new Set(traces.flatMap(({ gained }) => gained.flatMap(({ from }) => from)));
  const strangers = [
    ...new Set([...addresses].filter((one) => machineAt(one) === undefined).map(strangerName)),
  ].toSorted();
  const givers: Giver[] = [
    ...strangers.map((name) => ({ name, machine: undefined })),
    ...traces.map(({ name }, machine) => ({ name, machine })),
  ];
  const giverAt = (address: string): number => {
    const machine = machineAt(address);
    return machine === undefined ? strangers.indexOf(strangerName(address)) : strangers.length + machine;
  };
  const gifts = traces
    .flatMap(({ gained }, taker) =>
      gained.flatMap(({ at, from }) =>
        from.map((address) => ({
          atMs: at - beganAt,
          giver: giverAt(address),
          taker,
          share: 1 / from.length,
        })),
      ),
    )
    .toSorted((a, b) => a.atMs - b.atMs);
  return {
    givers,
    takers: traces.map(({ name, startedAt, completedAt }) => ({
      name,
      startMs: startedAt - beganAt,
      completeMs: completedAt === undefined ? undefined : completedAt - beganAt,
    })),
    pieces: Math.max(0, ...traces.map(({ pieces }) => pieces)),
    gifts,
    endMs: Math.max(
      1,
      gifts.at(-1)?.atMs ?? 1,
      ...traces.map(({ completedAt = 0 }) => completedAt - beganAt),
    ),
  };
}

/** A webseed by its server, a peer by its address. */
const strangerName = (address: string): string =>
  /^https?:\/\//.test(address) && URL.canParse(address) ? `${new URL(address).host} (HTTP)` : address;

/** Pieces that each giver (row) gave to each taker (column). */
export function giftMatrix({ givers, takers, gifts }: Flow): number[][] {
  const matrix = givers.map(() => takers.map(() => 0));
  for (const { giver, taker, share } of gifts) {
    const row = matrix[giver];
    if (row) row[taker] = (row[taker] ?? 0) + share;
  }
  return matrix;
}
