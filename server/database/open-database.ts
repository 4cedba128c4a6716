/**
 * Opens the database of the boot server, STATE/swarmboot.db. The daemon and every command open the same file:
 * write-ahead logging lets one write while others read, so a change is there at the daemon's next question.
 *
 * Invariant: what `openDatabase` returns has the newest schema, foreign keys on, and waits BUSY_MS for a lock.
 */
import { chownSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../failure.ts';
import { MIGRATIONS } from './schema.ts';

/** The daemon stands still for as long as another process holds the lock; commands hold it for milliseconds. */
const BUSY_MS = 2_000;

export const databasePath = (state: string): string => join(state, 'swarmboot.db');

/** https://sqlite.org/rescode.html, the primary codes. */
const SENTENCES: Readonly<Record<number, string>> = {
  5: 'another process has held it locked for too long; see who with "fuser FILE" and try again',
  8: 'it cannot be written; run the command as root, or as the user that runs "swarmboot serve"',
  11: 'it is damaged; stop the server, put it aside and start again, or restore it from a backup',
  13: 'the disk is full; make room and try again',
  14: 'it cannot be opened; run the command as root, or as the user that runs "swarmboot serve"',
  26: 'it is no SQLite database; put it aside and start again',
};

/** A sentence for an error of SQLite about `path`; any other error comes back as it is. */
export function databaseFailure(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const sentence = SENTENCES[error.errcode & 0xff]?.replace('FILE', path) ?? error.message;
  return new Failure('bad-database', `The database ${path} is not usable: ${sentence}`, { cause: error });
}

/** Runs `work` as one transaction that others see whole or not at all. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  // IMMEDIATE: a transaction that began with a read could not wait for the lock to write (SQLITE_BUSY at once).
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function migrate(db: DatabaseSync, path: string): void {
  const version = (): number => Number(db.prepare('PRAGMA user_version').get()?.user_version);
  if (version() > MIGRATIONS.length) {
    throw new Failure(
      'bad-database',
      `The database ${path} has version ${version()}, this swarmboot knows ${MIGRATIONS.length}: install the newer swarmboot that made it`,
    );
  }
  if (version() === MIGRATIONS.length) return;
  transaction(db, () => {
    // Read again: another process may have been here first.
    for (const step of MIGRATIONS.slice(version())) db.exec(step);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/**
 * What root makes in a folder of the daemon's user must be that user's, or the daemon could not write it.
 * The files beside the database live as long as it is open.
 */
function giveToOwner(path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(path));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(file) && statSync(file).uid !== uid) chownSync(file, uid, gid);
  }
}

/** Opens (and makes, with its folder) the database of `state`. Throws `Failure` `bad-database` or a system error. */
export function openDatabase(state: string): DatabaseSync {
  mkdirSync(state, { recursive: true });
  const path = databasePath(state);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
    // Synchronous NORMAL with a write-ahead log: a power cut may lose the last change, never the database.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    migrate(db, path);
    giveToOwner(path);
    return db;
  } catch (error) {
    db?.close();
    throw databaseFailure(error, path);
  }
}
