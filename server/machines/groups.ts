/** Groups of machines, usually rooms: names that machines and assignments refer to. */
import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../database/open-database.ts';
import { Failure } from '../failure.ts';
import { checkGivenName } from './names.ts';

export interface Group {
  readonly name: string;
  readonly machines: number;
}

export class Groups {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  list(): Group[] {
    return this.#db
      .prepare(
        `SELECT name, (SELECT count(*) FROM machines WHERE group_name = groups.name) AS machines
         FROM groups ORDER BY name`,
      )
      .all()
      .map((row) => ({ name: String(row.name), machines: Number(row.machines) }));
  }

  /** Returns the name. Throws `Failure` `unknown-name`. */
  find(name: string): string {
    if (this.#exists(name)) return name;
    throw new Failure('unknown-name', `There is no group "${name}"; see "swarmboot group list"`);
  }

  add(name: string, nowMs: number): void {
    checkGivenName(name, 'group');
    if (this.#exists(name)) throw new Failure('name-taken', `The group "${name}" exists already`);
    this.#db.prepare('INSERT INTO groups (name, created_ms) VALUES (?, ?)').run(name, nowMs);
  }

  /** Its machines and what is assigned to it go with it to the new name. */
  rename(name: string, to: string): void {
    checkGivenName(to, 'group');
    transaction(this.#db, () => {
      this.find(name);
      if (this.#exists(to)) throw new Failure('name-taken', `The group "${to}" exists already`);
      this.#db.prepare('UPDATE groups SET name = ? WHERE name = ?').run(to, name);
      this.#db.prepare("UPDATE assignments SET key = ? WHERE scope = 'group' AND key = ?").run(to, name);
    });
  }

  /** Its machines stay, without a group; what is assigned to it goes. */
  remove(name: string): void {
    transaction(this.#db, () => {
      this.find(name);
      this.#db.prepare("DELETE FROM assignments WHERE scope = 'group' AND key = ?").run(name);
      this.#db.prepare('DELETE FROM groups WHERE name = ?').run(name);
    });
  }

  #exists(name: string): boolean {
    return this.#db.prepare('SELECT 1 FROM groups WHERE name = ?').get(name) !== undefined;
  }
}
