/** What happened and who may want to know later: bounded, the oldest make room. */
import type { DatabaseSync } from 'node:sqlite';

export const EVENT_LIMIT = 10_000;

export interface LoggedEvent {
  readonly id: number;
  readonly atMs: number;
  /** undefined where no machine is meant. */
  readonly mac: string | undefined;
  readonly text: string;
}

export function logEvent(db: DatabaseSync, atMs: number, mac: string | undefined, text: string): void {
  const { lastInsertRowid } = db
    .prepare('INSERT INTO events (at_ms, mac, text) VALUES (?, ?, ?)')
    .run(atMs, mac ?? null, text);
  db.prepare('DELETE FROM events WHERE id <= ?').run(Number(lastInsertRowid) - EVENT_LIMIT);
}

/** Newest first. */
export function listEvents(
  db: DatabaseSync,
  { mac, limit }: { mac?: string | undefined; limit: number },
): LoggedEvent[] {
  return db
    .prepare('SELECT id, at_ms, mac, text FROM events WHERE ?1 IS NULL OR mac = ?1 ORDER BY id DESC LIMIT ?2')
    .all(mac ?? null, limit)
    .map((row) => ({
      id: Number(row.id),
      atMs: Number(row.at_ms),
      mac: row.mac === null ? undefined : String(row.mac),
      text: String(row.text),
    }));
}
