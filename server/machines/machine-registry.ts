/**
 * The machines that the boot server knows: those an administrator has entered, and those that have booted here.
 * What lasts is here; what a boot does at this moment is in machine-book.ts, in memory.
 *
 * Invariant: at most SEEN_LIMIT machines that nobody has touched, at most ADDRESS_LIMIT of them from one IP address:
 * whoever invents MAC addresses cannot fill the disk or push out a machine that an administrator has entered.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Arch } from '../../contract/manifest.ts';
import type { TelemetryEvent } from '../../contract/telemetry.ts';
import { transaction } from '../database/open-database.ts';
import { Failure } from '../failure.ts';
import { parseMac } from '../netboot/machine-query.ts';
import { checkGivenName, checkMac } from './names.ts';

export const SEEN_LIMIT = 4096;
const ADDRESS_LIMIT = 256;

export interface KnownMachine {
  readonly mac: string;
  readonly name: string | undefined;
  readonly group: string | undefined;
  readonly arch: Arch | undefined;
  /** Address that it was seen at last. */
  readonly ip: string | undefined;
  /** Milliseconds since the epoch; undefined for a machine that has never booted here. */
  readonly firstSeenMs: number | undefined;
  readonly lastSeenMs: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly firmware: 'bios' | 'uefi' | undefined;
  /** System RAM as [start, end inclusive]; empty until stage-1 has told. */
  readonly memmap: readonly (readonly [number, number])[];
}

const text = (value: SQLOutputValue | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
const number = (value: SQLOutputValue | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;

function machineOf(row: Record<string, SQLOutputValue>): KnownMachine {
  return {
    mac: String(row.mac),
    name: text(row.name),
    group: text(row.group_name),
    arch: text(row.arch) as Arch | undefined,
    ip: text(row.ip),
    firstSeenMs: number(row.first_seen_ms),
    lastSeenMs: number(row.last_seen_ms),
    memoryBytes: number(row.memory_bytes),
    firmware: text(row.firmware) as 'bios' | 'uefi' | undefined,
    memmap: JSON.parse(text(row.memmap) ?? '[]') as [number, number][],
  };
}

export class MachineRegistry {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** By group, name and MAC address; those without a group last. */
  list(group?: string): KnownMachine[] {
    return this.#db
      .prepare(
        `SELECT * FROM machines WHERE ?1 IS NULL OR group_name = ?1
         ORDER BY group_name IS NULL, group_name, name IS NULL, name, mac`,
      )
      .all(group ?? null)
      .map(machineOf);
  }

  get(mac: string): KnownMachine | undefined {
    const row = this.#db.prepare('SELECT * FROM machines WHERE mac = ?').get(mac);
    return row && machineOf(row);
  }

  /** By MAC address or name. Throws `Failure` `unknown-name`. */
  find(macOrName: string): KnownMachine {
    const mac = parseMac(macOrName);
    const row =
      mac === undefined
        ? this.#db.prepare('SELECT * FROM machines WHERE name = ?').get(macOrName)
        : this.#db.prepare('SELECT * FROM machines WHERE mac = ?').get(mac);
    if (row) return machineOf(row);
    throw new Failure(
      'unknown-name',
      `No machine is known as "${macOrName}"; see "swarmboot machine list", or enter it with "swarmboot machine add"`,
    );
  }

  /** Enters a machine before it boots for the first time. Throws `Failure` `name-taken`, `bad-option`. */
  add(macText: string, name: string | undefined, group: string | undefined): KnownMachine {
    const mac = checkMac(macText);
    return transaction(this.#db, () => {
      if (this.get(mac) !== undefined) {
        throw new Failure(
          'name-taken',
          `Machine ${mac} is known already; use "swarmboot machine rename" or "swarmboot machine group"`,
        );
      }
      this.#db.prepare('INSERT INTO machines (mac, kept) VALUES (?, 1)').run(mac);
      if (name !== undefined) this.#setName(mac, name);
      if (group !== undefined) this.#setGroup(mac, group);
      return this.find(mac);
    });
  }

  /** `name` undefined takes the name away. */
  rename(mac: string, name: string | undefined): void {
    transaction(this.#db, () => this.#setName(mac, name));
  }

  /** Puts a machine into a group that exists; undefined takes it out. */
  moveToGroup(mac: string, group: string | undefined): void {
    transaction(this.#db, () => this.#setGroup(mac, group));
  }

  /** Forgets a machine, its boots and what was assigned to it. If it boots again it is a new one. */
  forget(mac: string): void {
    transaction(this.#db, () => {
      this.#db.prepare("DELETE FROM assignments WHERE scope = 'machine' AND key = ?").run(mac);
      this.#db.prepare('DELETE FROM machines WHERE mac = ?').run(mac);
    });
  }

  /** Marks a machine as one that somebody has decided about; enters it if need be. */
  keep(mac: string): void {
    this.#db
      .prepare('INSERT INTO machines (mac, kept) VALUES (?, 1) ON CONFLICT (mac) DO UPDATE SET kept = 1')
      .run(mac);
  }

  /** A machine has asked for its script, or reports. `arch` undefined leaves what was known. */
  seen(mac: string, ip: string, arch: Arch | undefined, nowMs: number): void {
    if (this.get(mac) === undefined) this.#makeRoom(ip);
    this.#db
      .prepare(
        `INSERT INTO machines (mac, kept, ip, arch, first_seen_ms, last_seen_ms) VALUES (?1, 0, ?2, ?3, ?4, ?4)
         ON CONFLICT (mac) DO UPDATE SET ip = ?2, arch = ifnull(?3, arch), last_seen_ms = ?4,
           first_seen_ms = ifnull(first_seen_ms, ?4)`,
      )
      .run(mac, ip, arch ?? null, nowMs);
  }

  /** What stage-1 has found out about the hardware. */
  learn(event: Extract<TelemetryEvent, { event: 'machine' }>): void {
    this.#db
      .prepare('UPDATE machines SET memory_bytes = ?, firmware = ?, memmap = ? WHERE mac = ?')
      .run(event.memoryBytes, event.firmware, JSON.stringify(event.memmap), event.mac);
  }

  #setName(mac: string, name: string | undefined): void {
    if (name !== undefined) {
      checkGivenName(name, 'machine');
      const other = this.#db.prepare('SELECT mac FROM machines WHERE name = ? AND mac <> ?').get(name, mac);
      if (other)
        throw new Failure('name-taken', `The name "${name}" belongs to machine ${String(other.mac)}`);
    }
    this.#db.prepare('UPDATE machines SET name = ?, kept = 1 WHERE mac = ?').run(name ?? null, mac);
  }

  #setGroup(mac: string, group: string | undefined): void {
    if (group !== undefined && !this.#db.prepare('SELECT 1 FROM groups WHERE name = ?').get(group)) {
      throw new Failure(
        'unknown-name',
        `There is no group "${group}"; make it with "swarmboot group add ${group}"`,
      );
    }
    this.#db.prepare('UPDATE machines SET group_name = ?, kept = 1 WHERE mac = ?').run(group ?? null, mac);
  }

  #makeRoom(ip: string): void {
    for (const [limit, address] of [
      [ADDRESS_LIMIT, ip],
      [SEEN_LIMIT, null],
    ] as const) {
      this.#db
        .prepare(
          `DELETE FROM machines WHERE mac IN (
             SELECT mac FROM machines WHERE kept = 0 AND (?2 IS NULL OR ip = ?2)
             ORDER BY last_seen_ms DESC LIMIT -1 OFFSET ?1 - 1)`,
        )
        .run(limit, address);
    }
  }
}
