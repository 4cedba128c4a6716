/**
 * The schema, as the steps that led to it. A database at `user_version` N has had the first N steps; a step that has
 * been released is never changed, the next one is added behind it.
 *
 * Images are not in here: what is published is what the state folder holds, signed. The database only names them.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE groups (
    name TEXT PRIMARY KEY,
    created_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE machines (
    mac TEXT PRIMARY KEY,
    name TEXT UNIQUE COLLATE NOCASE,
    group_name TEXT REFERENCES groups (name) ON UPDATE CASCADE ON DELETE SET NULL,
    -- 1: an administrator has entered or changed it; 0: it has only been seen, and may make room for another
    kept INTEGER NOT NULL,
    arch TEXT,
    ip TEXT,
    first_seen_ms INTEGER,
    last_seen_ms INTEGER,
    -- what stage-1 has told of the hardware; memmap is JSON, [[start, end inclusive], ...]
    memory_bytes INTEGER,
    firmware TEXT,
    memmap TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX machines_of_group ON machines (group_name);
  CREATE INDEX machines_to_forget ON machines (last_seen_ms) WHERE kept = 0;

  CREATE TABLE boots (
    id INTEGER PRIMARY KEY,
    mac TEXT NOT NULL REFERENCES machines (mac) ON DELETE CASCADE,
    started_ms INTEGER NOT NULL,
    -- how often the script was fetched before stage-1 reported
    tries INTEGER NOT NULL,
    -- random number of the boot, null until stage-1 has reported
    boot TEXT,
    -- image/version that the script named, and why; null where it could name none
    release TEXT,
    reason TEXT NOT NULL,
    -- 'handoff' or 'error', null while it is under way or if nothing was heard any more
    outcome TEXT,
    detail TEXT,
    ended_ms INTEGER
  ) STRICT;
  CREATE INDEX boots_of_machine ON boots (mac, id);

  CREATE TABLE assignments (
    scope TEXT NOT NULL CHECK (scope IN ('machine', 'group', 'subnet', 'arch', 'default')),
    key TEXT NOT NULL,
    image TEXT,
    parameters TEXT,
    system_parameters TEXT,
    menu_seconds INTEGER,
    PRIMARY KEY (scope, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE next_boots (
    mac TEXT PRIMARY KEY REFERENCES machines (mac) ON DELETE CASCADE,
    image TEXT NOT NULL,
    -- stands in the URL of the initramfs: who fetches that has begun this boot
    token TEXT NOT NULL UNIQUE
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    mac TEXT,
    text TEXT NOT NULL
  ) STRICT;

  -- what the running server says of itself, for the commands beside it
  CREATE TABLE server (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    url TEXT NOT NULL,
    image TEXT,
    pid INTEGER NOT NULL,
    started_ms INTEGER NOT NULL
  ) STRICT;
  `,
];
