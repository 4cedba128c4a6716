/**
 * The store of a boot: written while pieces come, only read afterwards. kexec_file_load(2) answers ETXTBSY for a kernel
 * or initrd that anyone holds open for writing, and the swarm goes on seeding from these files while kexec loads them.
 *
 * Invariant: after `keepReading` nothing below is open for writing.
 */
import type { Store } from '../torrent/index.ts';

export class SeedingStore implements Store {
  #store: Store;

  /** `store` is open for writing and becomes this one's. */
  constructor(store: Store) {
    this.#store = store;
  }

  get length(): number {
    return this.#store.length;
  }

  read(offset: number, target: Uint8Array): Promise<void> {
    return this.#store.read(offset, target);
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#store.write(offset, bytes);
  }

  sync(): Promise<void> {
    return this.#store.sync();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** Reads go to `readable` (the same bytes, and from now on this one's) and the store for writing is closed. */
  async keepReading(readable: Store): Promise<void> {
    const writable = this.#store;
    this.#store = readable;
    await writable.close();
  }
}
