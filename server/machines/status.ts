/** The answer of GET /status, as data. */
import type { Strategy } from '../../contract/manifest.ts';
import type { Phase } from '../../contract/telemetry.ts';
import type { Downloaded, MachineRecord } from './machine-book.ts';

export interface MachineStatus {
  readonly mac: string;
  /** null until stage-1 has reported. */
  readonly boot: string | null;
  readonly ip: string;
  /** ISO 8601. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly phase: Phase | null;
  readonly phases: Readonly<Partial<Record<Phase, number>>>;
  readonly progress: {
    readonly release: string;
    readonly bytes: number;
    readonly total: number;
    readonly bytesPerSecond: number;
    readonly peers: number;
  } | null;
  readonly handoff: Strategy | null;
  readonly downloaded: Downloaded;
  /** What stage-1 gave to others, in bytes. */
  readonly uploaded: number;
  /** The real system runs and goes on giving; null before its first report. */
  readonly seeding: {
    readonly release: string;
    readonly pieces: number;
    readonly pieceCount: number;
    readonly peers: number;
    /** Bytes given since its service began. */
    readonly uploaded: number;
    readonly bytesPerSecond: number;
    /** 0: none. */
    readonly limitBytesPerSecond: number;
    /** Pieces found damaged. */
    readonly withdrawn: number;
    /** ISO 8601. The report comes every five seconds: an old one is of a machine that was switched off. */
    readonly reported: string;
  } | null;
  readonly hashFailures: number;
  /** Of the agent. */
  readonly peakRssBytes: number | null;
  /** Of the whole machine until the handoff. */
  readonly memoryPeakBytes: number | null;
  readonly memoryBytes: number | null;
  readonly firmware: 'bios' | 'uefi' | null;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

export interface ServerStatus {
  readonly stage1Bytes: number;
  /** Seeder and webseed together. */
  readonly payloadBytes: number;
  readonly seederBytes: number;
  readonly webseedBytes: number;
  readonly images: readonly {
    readonly name: string;
    readonly version: string;
    readonly imageBytes: number;
    readonly seederPort: number | null;
  }[];
}

export interface Status {
  readonly machines: readonly MachineStatus[];
  readonly server: ServerStatus;
}

const NOTHING: Downloaded = { peers: 0, seeder: 0, webseed: 0 };

const seedingStatus = (
  { mac: _mac, boot: _boot, uptime: _uptime, event: _event, ...told }: NonNullable<MachineRecord['seeding']>,
  atMs: number,
): MachineStatus['seeding'] => ({ ...told, reported: new Date(atMs).toISOString() });

export function machineStatus(record: MachineRecord): MachineStatus {
  const { progress, handoff, machine } = record;
  const last = handoff ?? progress;
  return {
    mac: record.mac,
    boot: record.boot ?? null,
    ip: record.ip,
    firstSeen: new Date(record.firstSeenMs).toISOString(),
    lastSeen: new Date(record.lastSeenMs).toISOString(),
    phase: record.phase ?? null,
    phases: record.phases,
    progress: progress
      ? {
          release: progress.release,
          bytes: progress.bytes,
          total: progress.total,
          bytesPerSecond: progress.bytesPerSecond,
          peers: progress.peers,
        }
      : null,
    handoff: handoff?.strategy ?? null,
    downloaded: last?.downloaded ?? NOTHING,
    uploaded: last?.uploaded ?? 0,
    seeding: record.seeding ? seedingStatus(record.seeding, record.seedingAtMs) : null,
    hashFailures: handoff?.hashFailures ?? 0,
    peakRssBytes: handoff?.peakRssBytes ?? null,
    memoryPeakBytes: handoff?.memoryPeakBytes ?? null,
    memoryBytes: machine?.memoryBytes ?? null,
    firmware: machine?.firmware ?? null,
    errors: record.errors,
  };
}
