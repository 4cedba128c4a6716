/**
 * What the server knows of the machines that boot: one record for each MAC address.
 *
 * Invariant: at most MACHINE_LIMIT records, at most ADDRESS_LIMIT from one IP address, each of bounded size; the one that
 * was silent longest makes room. Everything in a record was said by an unauthenticated sender: it is shown and
 * counted, never executed or used as a path. Pure: the clock comes in with each call.
 */
import type { Phase, TelemetryEvent } from '../../contract/telemetry.ts';

export const MACHINE_LIMIT = 4096;
/** One sender cannot push out a whole school; 256 leaves room for a lab behind one address. */
const ADDRESS_LIMIT = 256;
const ERROR_LIMIT = 16;

export interface Downloaded {
  readonly peers: number;
  readonly seeder: number;
  readonly webseed: number;
}

export interface MachineRecord {
  readonly mac: string;
  /** Random number of the boot, undefined until stage-1 has reported. */
  boot: string | undefined;
  ip: string;
  firstSeenMs: number;
  lastSeenMs: number;
  /** The phase that began last, and when; undefined before stage-1 has reported. */
  phase: Phase | undefined;
  phaseSinceMs: number;
  phaseEnded: boolean;
  /** Seconds spent in each phase, all its attempts together. */
  readonly phases: Partial<Record<Phase, number>>;
  progress: Extract<TelemetryEvent, { event: 'progress' }> | undefined;
  progressAtMs: number;
  handoff: Extract<TelemetryEvent, { event: 'handoff' }> | undefined;
  /** Last report of the seeder in the real system, and when it came. */
  seeding: Extract<TelemetryEvent, { event: 'seeding' }> | undefined;
  seedingAtMs: number;
  machine: Extract<TelemetryEvent, { event: 'machine' }> | undefined;
  /** System RAM that the machine told of last, at this boot or an earlier one. */
  ram: readonly (readonly [start: number, end: number])[];
  readonly errors: { readonly code: string; readonly message: string }[];
}

export class MachineBook {
  /** In order of last use: the first is the one that was silent longest. */
  readonly #records = new Map<string, MachineRecord>();

  /** A machine has fetched its iPXE script: a new boot begins. */
  scriptFetched(mac: string, ip: string, nowMs: number): void {
    this.#touch(mac, undefined, ip, nowMs);
  }

  apply(event: TelemetryEvent, ip: string, nowMs: number): void {
    const record = this.#touch(event.mac, event.boot, ip, nowMs);
    switch (event.event) {
      case 'phase-start':
        record.phase = event.phase;
        record.phaseSinceMs = nowMs;
        record.phaseEnded = false;
        break;
      case 'phase-end':
        record.phases[event.phase] = (record.phases[event.phase] ?? 0) + event.seconds;
        if (record.phase === event.phase) record.phaseEnded = true;
        break;
      case 'progress':
        record.progress = event;
        record.progressAtMs = nowMs;
        break;
      case 'machine':
        record.machine = event;
        record.ram = event.memmap;
        break;
      case 'handoff':
        record.handoff = event;
        break;
      case 'seeding':
        record.seeding = event;
        record.seedingAtMs = nowMs;
        break;
      case 'error':
        record.errors.push({ code: event.code, message: event.message });
        if (record.errors.length > ERROR_LIMIT) record.errors.shift();
        break;
    }
  }

  get(mac: string): MachineRecord | undefined {
    return this.#records.get(mac);
  }

  /** In order of MAC address. */
  list(): MachineRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.mac < b.mac ? -1 : 1));
  }

  values(): Iterable<MachineRecord> {
    return this.#records.values();
  }

  #touch(mac: string, boot: string | undefined, ip: string, nowMs: number): MachineRecord {
    const known = this.#records.get(mac);
    this.#records.delete(mac);
    // The script comes before the boot number is made; the first report of stage-1 belongs to that boot.
    const sameBoot =
      known !== undefined && (boot === known.boot || (known.boot === undefined && boot !== undefined));
    const record: MachineRecord = sameBoot
      ? known
      : {
          ...{ mac, boot, ip, firstSeenMs: nowMs, lastSeenMs: nowMs },
          ...{ phase: undefined, phaseSinceMs: nowMs, phaseEnded: false, phases: {} },
          ...{ progress: undefined, progressAtMs: 0, handoff: undefined, machine: undefined, errors: [] },
          ...{ seeding: undefined, seedingAtMs: 0 },
          ram: known?.ram ?? [],
        };
    record.boot = boot ?? record.boot;
    record.ip = ip;
    record.lastSeenMs = nowMs;
    if (known === undefined) this.#makeRoom(ip);
    this.#records.set(mac, record);
    return record;
  }

  #makeRoom(ip: string): void {
    let sameAddress = 0;
    let oldestOfAddress: string | undefined;
    for (const record of this.#records.values()) {
      if (record.ip !== ip) continue;
      sameAddress++;
      oldestOfAddress ??= record.mac;
    }
    if (sameAddress >= ADDRESS_LIMIT && oldestOfAddress !== undefined) this.#records.delete(oldestOfAddress);
    const [oldest] = this.#records.keys();
    if (this.#records.size >= MACHINE_LIMIT && oldest !== undefined) this.#records.delete(oldest);
  }
}
