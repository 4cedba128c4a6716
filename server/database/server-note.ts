/** What the running server says of itself, for the commands that run beside it: where it is, what it boots by default. */
import type { DatabaseSync } from 'node:sqlite';

export interface ServerNote {
  /** Base URL on this machine, without a final slash. */
  readonly url: string;
  /** `serve --image`. */
  readonly image: string | undefined;
  readonly pid: number;
  readonly startedMs: number;
}

export function writeServerNote(db: DatabaseSync, { url, image, pid, startedMs }: ServerNote): void {
  db.prepare('INSERT OR REPLACE INTO server (id, url, image, pid, started_ms) VALUES (1, ?, ?, ?, ?)').run(
    url,
    image ?? null,
    pid,
    startedMs,
  );
}

/** Of the server that runs, or that ran last; undefined if none ever did. */
export function readServerNote(db: DatabaseSync): ServerNote | undefined {
  const row = db.prepare('SELECT url, image, pid, started_ms FROM server').get();
  if (row === undefined) return undefined;
  return {
    url: String(row.url),
    image: row.image === null ? undefined : String(row.image),
    pid: Number(row.pid),
    startedMs: Number(row.started_ms),
  };
}
