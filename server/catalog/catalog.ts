/**
 * The releases that the server serves, kept in step with the disk.
 *
 * Invariant: `current` holds at most one release per image, each loaded whole. Older versions are loaded when a
 * machine that began before the change asks for one, and a few are remembered.
 */
import type { PublicKey } from '../../contract/signify.ts';
import { isName } from './layout.ts';
import { loadRelease, type Release } from './load-release.ts';
import { currentVersion, listImages } from './release-folders.ts';

const REMEMBERED_RELEASES = 16;

export interface CatalogEvents {
  /** The set of current releases is another one now. */
  readonly onChange: (current: ReadonlyMap<string, Release>) => void;
  /** A release cannot be served; told once for each version. */
  readonly onProblem: (error: Error) => void;
}

export class Catalog {
  readonly #state: string;
  readonly #key: PublicKey;
  readonly #events: CatalogEvents;
  #current: ReadonlyMap<string, Release> = new Map();
  readonly #older = new Map<string, Release>();
  readonly #told = new Set<string>();

  constructor(state: string, key: PublicKey, events: CatalogEvents) {
    this.#state = state;
    this.#key = key;
    this.#events = events;
  }

  get current(): ReadonlyMap<string, Release> {
    return this.#current;
  }

  /** A release by its version, current or older; undefined if there is none that is whole. */
  async find(name: string, version: string): Promise<Release | undefined> {
    if (!isName(name) || !isName(version)) return undefined;
    const current = this.#current.get(name);
    if (current?.version === version) return current;
    const key = `${name}/${version}`;
    const known = this.#older.get(key);
    if (known) return known;
    try {
      const release = await loadRelease(this.#state, name, version, this.#key);
      this.#remember(key, release);
      return release;
    } catch {
      return undefined;
    }
  }

  #remember(key: string, release: Release): void {
    this.#older.set(key, release);
    const [oldest] = this.#older.keys();
    if (this.#older.size > REMEMBERED_RELEASES && oldest !== undefined) this.#older.delete(oldest);
  }

  #problem(key: string, error: Error): void {
    const text = `${key}: ${error.message}`;
    if (this.#told.has(text)) return;
    if (this.#told.size > 1000) this.#told.clear();
    this.#told.add(text);
    this.#events.onProblem(error);
  }

  /** Looks at the disk once: a readlink for each image, and a load where the version is new. */
  async scan(): Promise<void> {
    const next = new Map<string, Release>();
    let changed = false;
    for (const name of await listImages(this.#state)) {
      const version = await currentVersion(this.#state, name);
      if (version === undefined) continue;
      const before = this.#current.get(name);
      if (before?.version === version) {
        next.set(name, before);
        continue;
      }
      try {
        next.set(name, await loadRelease(this.#state, name, version, this.#key));
        changed = true;
        if (before) this.#remember(`${name}/${before.version}`, before);
      } catch (error) {
        this.#problem(`${name}/${version}`, error as Error);
        // Better the release of yesterday than none.
        if (before) next.set(name, before);
      }
    }
    changed ||= next.size !== this.#current.size;
    this.#current = next;
    if (changed) this.#events.onChange(next);
  }
}
