import assert from 'node:assert/strict';
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  databaseFailure,
  databasePath,
  openDatabase,
  transaction,
} from '../../../server/database/open-database.ts';
import { MIGRATIONS } from '../../../server/database/schema.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder('database');
const fresh = (name: string): string => join(folder, name);
const version = (db: DatabaseSync): unknown => db.prepare('PRAGMA user_version').get()?.user_version;

test('a new database has the newest schema, a write-ahead log and foreign keys; opening again changes nothing', () => {
  const state = fresh('new');
  const db = openDatabase(state);
  assert.equal(version(db), MIGRATIONS.length);
  assert.equal(db.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  assert.equal(db.prepare('PRAGMA foreign_keys').get()?.foreign_keys, 1);
  db.prepare("INSERT INTO groups VALUES ('lab1', 1)").run();
  db.close();
  const again = openDatabase(state);
  assert.equal(again.prepare('SELECT count(*) AS n FROM groups').get()?.n, 1);
  again.close();
});

test('what one connection commits is there at the next question of another', () => {
  const state = fresh('two');
  const daemon = openDatabase(state);
  const count = daemon.prepare('SELECT count(*) AS n FROM groups');
  const command = openDatabase(state);
  transaction(command, () => {
    command.prepare("INSERT INTO groups VALUES ('lab1', 1)").run();
    assert.equal(count.get()?.n, 0, 'not half-done');
  });
  assert.equal(count.get()?.n, 1);
  assert.throws(() =>
    transaction(command, () => {
      command.prepare("INSERT INTO groups VALUES ('lab2', 1)").run();
      throw new Error('stop');
    }),
  );
  assert.equal(count.get()?.n, 1, 'rolled back');
  command.close();
  daemon.close();
});

test('a database of a newer swarmboot, a damaged one, and a folder in its place are refused with a sentence', () => {
  const newer = fresh('newer');
  const db = openDatabase(newer);
  db.exec('PRAGMA user_version = 9999');
  db.close();
  assert.throws(() => openDatabase(newer), /has version 9999, this swarmboot knows \d+: install the newer/);
  const rubbish = fresh('rubbish');
  mkdirSync(rubbish);
  writeFileSync(databasePath(rubbish), 'x'.repeat(8192));
  assert.throws(() => openDatabase(rubbish), /swarmboot\.db is not usable: it is no SQLite database/);
  const blocked = fresh('blocked');
  mkdirSync(databasePath(blocked), { recursive: true });
  assert.throws(
    () => openDatabase(blocked),
    /swarmboot\.db is not usable: it cannot be opened; run the command as root/,
  );
});

test('a lock that is held too long, and a full disk, are sentences too', () => {
  const state = fresh('locked');
  const holder = openDatabase(state);
  holder.exec('BEGIN IMMEDIATE');
  const waiting = new DatabaseSync(databasePath(state), { timeout: 50 });
  const attempt = (): void => {
    try {
      waiting.exec('BEGIN IMMEDIATE');
    } catch (error) {
      throw databaseFailure(error, databasePath(state));
    }
  };
  assert.throws(attempt, { code: 'bad-database', message: /another process has held it locked/ });
  holder.exec('ROLLBACK');
  waiting.close();
  const pages = Number(holder.prepare('PRAGMA page_count').get()?.page_count);
  holder.exec(`PRAGMA max_page_count = ${pages}`);
  assert.throws(
    () => {
      try {
        for (let index = 0; index < 1000; index++)
          holder.prepare('INSERT INTO events (at_ms, text) VALUES (1, ?)').run('x'.repeat(1000));
      } catch (error) {
        throw databaseFailure(error, databasePath(state));
      }
    },
    { code: 'bad-database', message: /the disk is full; make room/ },
  );
  holder.close();
});

test("what root makes in another user's folder is that user's", { skip: process.getuid?.() !== 0 }, () => {
  const state = fresh('owned');
  mkdirSync(state);
  chownSync(state, 65534, 65534);
  const db = openDatabase(state);
  for (const suffix of ['', '-wal', '-shm'])
    assert.equal(statSync(databasePath(state) + suffix).uid, 65534, suffix);
  db.close();
});
