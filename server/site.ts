/** What an administrator has decided and what is known of the machines: the database, by its parts. */
import type { DatabaseSync } from 'node:sqlite';
import { AssignmentStore } from './assignments/assignment-store.ts';
import { databaseFailure, databasePath, openDatabase } from './database/open-database.ts';
import { BootHistory } from './machines/boot-history.ts';
import { Groups } from './machines/groups.ts';
import { MachineRegistry } from './machines/machine-registry.ts';

export interface Site {
  readonly db: DatabaseSync;
  readonly machines: MachineRegistry;
  readonly groups: Groups;
  readonly boots: BootHistory;
  readonly assignments: AssignmentStore;
  readonly close: () => void;
}

/** Opens the database in `state`, and makes it if need be. Throws `Failure` `bad-database`. */
export function openSite(state: string): Site {
  const db = openDatabase(state);
  return {
    db,
    machines: new MachineRegistry(db),
    groups: new Groups(db),
    boots: new BootHistory(db),
    assignments: new AssignmentStore(db),
    close: () => db.close(),
  };
}

/** Runs `work` with the database of `state`; its errors become sentences (`bad-database`). */
export function withSite<T>(state: string, work: (site: Site) => T): T {
  const site = openSite(state);
  try {
    return work(site);
  } catch (error) {
    throw databaseFailure(error, databasePath(state));
  } finally {
    site.close();
  }
}
