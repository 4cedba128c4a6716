/**
 * The last boots of each machine: what it was given and why, and how it ended.
 *
 * Invariant: at most HISTORY_LIMIT rows for a machine. A script that is fetched again before stage-1 has reported is
 * another try of the same boot: a machine that asks every minute for an image that does not exist has one row.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { TelemetryEvent } from '../../contract/telemetry.ts';

export const HISTORY_LIMIT = 32;
const OF_A_BOOT: readonly string[] = ['phase-start', 'phase-end', 'machine', 'handoff', 'error'];

export interface Boot {
  readonly startedMs: number;
  readonly tries: number;
  /** undefined until stage-1 has reported. */
  readonly boot: string | undefined;
  /** `image/version`; undefined where there was none to give. */
  readonly release: string | undefined;
  readonly reason: string;
  readonly outcome: 'handoff' | 'error' | undefined;
  readonly detail: string | undefined;
  readonly endedMs: number | undefined;
}

export class BootHistory {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Newest first. */
  list(mac: string, limit = HISTORY_LIMIT): Boot[] {
    return this.#db
      .prepare('SELECT * FROM boots WHERE mac = ? ORDER BY id DESC LIMIT ?')
      .all(mac, limit)
      .map((row) => ({
        startedMs: Number(row.started_ms),
        tries: Number(row.tries),
        boot: row.boot === null ? undefined : String(row.boot),
        release: row.release === null ? undefined : String(row.release),
        reason: String(row.reason),
        outcome: row.outcome === null ? undefined : (String(row.outcome) as 'handoff' | 'error'),
        detail: row.detail === null ? undefined : String(row.detail),
        endedMs: row.ended_ms === null ? undefined : Number(row.ended_ms),
      }));
  }

  /** A machine known to the registry has fetched its script. */
  begun(mac: string, release: string | undefined, reason: string, nowMs: number): void {
    const again = this.#db
      .prepare(
        `UPDATE boots SET started_ms = ?2, tries = tries + 1, release = ?3, reason = ?4
         WHERE id = (SELECT max(id) FROM boots WHERE mac = ?1) AND boot IS NULL`,
      )
      .run(mac, nowMs, release ?? null, reason);
    if (again.changes > 0) return;
    this.#insert(mac, nowMs, undefined, release, reason);
  }

  /** Notes what an event tells of its boot; progress is not for the disk. */
  apply(event: TelemetryEvent, nowMs: number): void {
    if (!OF_A_BOOT.includes(event.event)) return;
    const { mac, boot } = event;
    const latest = this.#db
      .prepare('SELECT id, boot FROM boots WHERE mac = ? ORDER BY id DESC LIMIT 1')
      .get(mac);
    if (latest === undefined || (latest.boot !== null && latest.boot !== boot)) {
      // It booted without a script of ours: from a stick, or another server's.
      this.#insert(mac, nowMs, boot, undefined, 'its script is not from here');
    } else if (latest.boot === null) {
      this.#db.prepare('UPDATE boots SET boot = ? WHERE id = ?').run(boot, Number(latest.id));
    }
    if (event.event === 'handoff') this.#end(mac, 'handoff', `${event.release} by ${event.strategy}`, nowMs);
    if (event.event === 'error') this.#end(mac, 'error', `${event.code}: ${event.message}`, nowMs);
  }

  #insert(
    mac: string,
    nowMs: number,
    boot: string | undefined,
    release: string | undefined,
    reason: string,
  ): void {
    this.#db
      .prepare('INSERT INTO boots (mac, started_ms, tries, boot, release, reason) VALUES (?, ?, 1, ?, ?, ?)')
      .run(mac, nowMs, boot ?? null, release ?? null, reason);
    this.#db
      .prepare(
        'DELETE FROM boots WHERE mac = ?1 AND id NOT IN (SELECT id FROM boots WHERE mac = ?1 ORDER BY id DESC LIMIT ?2)',
      )
      .run(mac, HISTORY_LIMIT);
  }

  #end(mac: string, outcome: 'handoff' | 'error', detail: string, nowMs: number): void {
    this.#db
      .prepare(
        `UPDATE boots SET outcome = ?2, detail = ?3, ended_ms = ?4
         WHERE id = (SELECT max(id) FROM boots WHERE mac = ?1)`,
      )
      .run(mac, outcome, detail, nowMs);
  }
}
