/** From what was seen in a round to its figures, and from rounds to a run. Pure. */
import { median } from '../measure.ts';

/** Wire bytes of a full frame on Ethernet (without preamble and checksum), and its TCP payload with timestamps. */
export const FRAME_BYTES = 1514;
export const FRAME_PAYLOAD_BYTES = 1448;

/** Seconds for the image to pass one link once, with the headers of full frames: nobody can be faster. */
export const boundSeconds = (sizeBytes: number, rateBitsPerSecond: number): number =>
  ((sizeBytes * 8) / rateBitsPerSecond) * (FRAME_BYTES / FRAME_PAYLOAD_BYTES);

export interface MachineResult {
  /** Times of one clock, in milliseconds. */
  readonly startedMs: number;
  /** Absent: it left before, or nobody waited for it. */
  readonly doneMs?: number;
  readonly cpuSeconds?: number;
  /** Of one core, in the middle of the download; see core-share.ts. */
  readonly coreShare?: number;
  readonly peakRssBytes?: number;
  /** Payload, as its program counts it. */
  readonly receivedBytes?: number;
  /** What came to it on the wire. */
  readonly wireBytes: number;
}

export interface RoundResult {
  readonly sizeBytes: number;
  readonly rateBitsPerSecond: number;
  /** The machines start one by one: each is measured from its own start. */
  readonly staggered: boolean;
  readonly machines: readonly MachineResult[];
  readonly server: {
    readonly cpuSeconds?: number;
    /** Payload, as its program counts it. */
    readonly sentBytes?: number;
    readonly wireBytes: number;
  };
  /** CPU time of the whole host that nobody wanted, from the first start to the last end; 0 to 1. */
  readonly idleShare: number;
}

/** Of one round. Seconds and ratios are those of the machines that were waited for. */
export interface RoundFigures {
  readonly firstSeconds: number;
  readonly medianSeconds: number;
  readonly lastSeconds: number;
  readonly lastRatio: number;
  /** Payload that the server sent, in images. */
  readonly serverPayloadRatio?: number;
  /** The same on the wire, with headers and everything else. */
  readonly serverWireRatio: number;
  /** Images that were completed over everything that came to the machines on the wire, in bytes. */
  readonly usefulShare: number;
  readonly seederCpuSeconds?: number;
  /** Mean of the machines. */
  readonly leecherCpuSeconds?: number;
  /** What a machine took of a core in the middle of its download, mean of the machines. */
  readonly leecherCoreShare?: number;
  /** Highest of the machines. */
  readonly peakRssBytes?: number;
  readonly idleShare: number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

const defined = <T>(values: readonly (T | undefined)[]): T[] =>
  values.filter((value) => value !== undefined) as T[];

/** Throws if no machine was done. */
export function figuresOf(round: RoundResult): RoundFigures {
  const { machines, server, sizeBytes, rateBitsPerSecond } = round;
  const lastStartMs = Math.max(...machines.map(({ startedMs }) => startedMs));
  const done = machines.filter(({ doneMs }) => doneMs !== undefined);
  if (done.length === 0) throw new Error('No machine has finished');
  const seconds = done
    .map(({ startedMs, doneMs = 0 }) => (doneMs - (round.staggered ? startedMs : lastStartMs)) / 1000)
    .toSorted((a, b) => a - b);
  const lastSeconds = seconds.at(-1) ?? 0;
  const cpu = defined(machines.map(({ cpuSeconds }) => cpuSeconds));
  const shares = defined(machines.map(({ coreShare }) => coreShare));
  const peaks = defined(machines.map(({ peakRssBytes }) => peakRssBytes));
  const wireBytes = machines.reduce((sum, machine) => sum + machine.wireBytes, 0);
  return {
    firstSeconds: seconds[0] ?? 0,
    medianSeconds: median(seconds),
    lastSeconds,
    lastRatio: lastSeconds / boundSeconds(sizeBytes, rateBitsPerSecond),
    ...(server.sentBytes === undefined ? {} : { serverPayloadRatio: server.sentBytes / sizeBytes }),
    serverWireRatio: server.wireBytes / sizeBytes,
    usefulShare: (done.length * sizeBytes) / wireBytes,
    ...(server.cpuSeconds === undefined ? {} : { seederCpuSeconds: server.cpuSeconds }),
    ...(cpu.length === 0 ? {} : { leecherCpuSeconds: mean(cpu) }),
    ...(shares.length === 0 ? {} : { leecherCoreShare: mean(shares) }),
    ...(peaks.length === 0 ? {} : { peakRssBytes: Math.max(...peaks) }),
    idleShare: round.idleShare,
  };
}

const FIELDS = [
  'firstSeconds',
  'medianSeconds',
  'lastSeconds',
  'lastRatio',
  'serverPayloadRatio',
  'serverWireRatio',
  'usefulShare',
  'seederCpuSeconds',
  'leecherCpuSeconds',
  'leecherCoreShare',
  'peakRssBytes',
  'idleShare',
] as const satisfies readonly (keyof RoundFigures)[];

/** The median of every field over the rounds that have it. Throws without a round. */
export function medianFigures(rounds: readonly RoundFigures[]): RoundFigures {
  if (rounds.length === 0) throw new Error('Cannot take the median of no rounds');
  const entries = FIELDS.map((field) => [field, defined(rounds.map((round) => round[field]))] as const)
    .filter(([, values]) => values.length > 0)
    .map(([field, values]) => [field, median(values)] as const);
  return Object.fromEntries(entries) as unknown as RoundFigures;
}
