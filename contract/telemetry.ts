/**
 * What a booting machine tells the boot server, and what the server answers.
 *
 * The agent POSTs batches to `<server>/telemetry` as NDJSON, one event a line; the server answers JSON. Telemetry is
 * best effort on both sides: a dead server never slows a boot, a hostile body never hurts the server.
 */
import * as v from 'valibot';
import { STRATEGIES } from './manifest.ts';

/** Largest batch in bytes, and most events in one. */
export const TELEMETRY_LIMIT_BYTES = 64 * 1024;
export const TELEMETRY_LIMIT_EVENTS = 256;

/** The phases of a boot, in order; every one prints and sends one start and one end. */
export const PHASES = ['network', 'manifest', 'memory', 'swarm', 'verify', 'linger', 'handoff'] as const;
export type Phase = (typeof PHASES)[number];

const text = (limit: number) => v.pipe(v.string(), v.maxLength(limit));
const count = v.pipe(v.number(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const macAddress = v.pipe(v.string(), v.regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/));

const base = {
  /** MAC address of the boot interface: the machine's identity. */
  mac: macAddress,
  /** Random for each boot, so that two boots of a machine are told apart. */
  boot: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  /** Seconds since the kernel started (CLOCK_BOOTTIME), three decimals. */
  uptime: count,
};

const downloaded = v.strictObject({ peers: count, seeder: count, webseed: count });

export const telemetryEventSchema = v.variant('event', [
  v.strictObject({ ...base, event: v.literal('phase-start'), phase: v.picklist(PHASES) }),
  v.strictObject({
    ...base,
    event: v.literal('phase-end'),
    phase: v.picklist(PHASES),
    ok: v.boolean(),
    seconds: count,
    detail: text(500),
  }),
  v.strictObject({
    ...base,
    event: v.literal('progress'),
    release: text(200),
    bytes: count,
    total: count,
    bytesPerSecond: count,
    peers: count,
    downloaded,
    uploaded: count,
  }),
  v.strictObject({
    ...base,
    event: v.literal('machine'),
    arch: text(16),
    memoryBytes: count,
    firmware: v.picklist(['bios', 'uefi']),
    /** System RAM ranges of /sys/firmware/memmap as [start, end inclusive]; the server learns the machine from it. */
    memmap: v.pipe(v.array(v.tuple([count, count])), v.maxLength(64)),
  }),
  v.strictObject({
    ...base,
    event: v.literal('handoff'),
    strategy: v.picklist(STRATEGIES),
    release: text(200),
    /** Of the agent. */
    peakRssBytes: count,
    /** Of the whole machine: its RAM less the least that was available. */
    memoryPeakBytes: v.optional(count),
    downloaded,
    uploaded: count,
    hashFailures: count,
  }),
  /** From the real system: it goes on giving what it was booted from. Counts begin with its service. */
  v.strictObject({
    ...base,
    event: v.literal('seeding'),
    release: text(200),
    pieces: count,
    pieceCount: count,
    peers: count,
    uploaded: count,
    bytesPerSecond: count,
    /** Upload limit in bytes per second, 0 for none. */
    limitBytesPerSecond: count,
    /** Pieces that were found damaged and are no longer given. */
    withdrawn: count,
  }),
  v.strictObject({ ...base, event: v.literal('error'), code: text(64), message: text(1000) }),
]);

export type TelemetryEvent = v.InferOutput<typeof telemetryEventSchema>;
/** What the sender of an event gives; the telemetry writer adds mac, boot and uptime. */
export type TelemetryDraft = TelemetryEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'mac' | 'boot' | 'uptime'>
    : never
  : never;

export const telemetryAnswerSchema = v.strictObject({
  /** How many other machines are still downloading the release that this machine reported; drives `linger=auto`. */
  neededBy: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000)),
});
export type TelemetryAnswer = v.InferOutput<typeof telemetryAnswerSchema>;

/** Parses a batch; events that do not fit the schema are counted, not thrown. */
export function parseTelemetry(body: string): { events: TelemetryEvent[]; rejected: number } {
  const events: TelemetryEvent[] = [];
  let rejected = 0;
  for (const line of body.slice(0, TELEMETRY_LIMIT_BYTES).split('\n')) {
    if (line === '') continue;
    if (events.length + rejected >= TELEMETRY_LIMIT_EVENTS) break;
    try {
      events.push(v.parse(telemetryEventSchema, JSON.parse(line)));
    } catch {
      rejected++;
    }
  }
  return { events, rejected };
}
