/** The assignments, and the one-shot next boots, on disk. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { type Assignment, SCOPES, type Scope, type Target } from './assignment.ts';

const text = (value: SQLOutputValue | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

export interface NextBoot {
  readonly mac: string;
  readonly image: string;
  /** Random; stands in the URL of stage-1's initramfs. */
  readonly token: string;
}

export class AssignmentStore {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** From specific to general, as SCOPES has it. */
  list(): Assignment[] {
    return this.#db
      .prepare('SELECT * FROM assignments ORDER BY key')
      .all()
      .map((row) => ({
        target: { scope: String(row.scope) as Scope, key: String(row.key) },
        image: text(row.image),
        parameters: text(row.parameters),
        systemParameters: text(row.system_parameters),
        menuSeconds: row.menu_seconds === null ? undefined : Number(row.menu_seconds),
      }))
      .sort((a, b) => SCOPES.indexOf(a.target.scope) - SCOPES.indexOf(b.target.scope));
  }

  get({ scope, key }: Target): Assignment | undefined {
    return this.list().find(({ target }) => target.scope === scope && target.key === key);
  }

  /** Replaces what was assigned to the target; one that says nothing any more is removed. */
  put({ target: { scope, key }, image, parameters, systemParameters, menuSeconds }: Assignment): void {
    const values = [image, parameters, systemParameters, menuSeconds].map((value) => value ?? null);
    if (values.every((value) => value === null)) this.remove({ scope, key });
    else {
      this.#db
        .prepare('INSERT OR REPLACE INTO assignments VALUES (?, ?, ?, ?, ?, ?)')
        .run(scope, key, ...values);
    }
  }

  /** Whether there was one. */
  remove({ scope, key }: Target): boolean {
    return (
      this.#db.prepare('DELETE FROM assignments WHERE scope = ? AND key = ?').run(scope, key).changes > 0
    );
  }

  nextBoots(): NextBoot[] {
    return this.#db
      .prepare('SELECT mac, image, token FROM next_boots ORDER BY mac')
      .all()
      .map((row) => ({ mac: String(row.mac), image: String(row.image), token: String(row.token) }));
  }

  nextBoot(mac: string): NextBoot | undefined {
    const row = this.#db.prepare('SELECT mac, image, token FROM next_boots WHERE mac = ?').get(mac);
    return row && { mac: String(row.mac), image: String(row.image), token: String(row.token) };
  }

  /** For a machine that the registry knows. `token` is 16 random bytes as hex. */
  orderNextBoot({ mac, image, token }: NextBoot): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO next_boots (mac, image, token) VALUES (?, ?, ?)')
      .run(mac, image, token);
  }

  cancelNextBoot(mac: string): boolean {
    return this.#db.prepare('DELETE FROM next_boots WHERE mac = ?').run(mac).changes > 0;
  }

  /** Takes the order with this token; undefined if it has been taken already. Exactly one caller gets it. */
  takeNextBoot(token: string): { readonly mac: string; readonly image: string } | undefined {
    const row = this.#db.prepare('DELETE FROM next_boots WHERE token = ? RETURNING mac, image').get(token);
    return row && { mac: String(row.mac), image: String(row.image) };
  }
}
