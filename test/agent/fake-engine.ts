/** A swarm that has what a test says, and a store that may forget. The store below it is real. */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SwarmStats } from '../../agent/download.ts';
import type { Engine, RunningSwarm } from '../../agent/engine.ts';
import {
  openSegmentStore,
  type Segment,
  type Store,
  type SwarmOptions,
  type SwarmTuning,
} from '../../torrent/index.ts';
import type { FakeMachine } from './fakes.ts';
import type { ReleaseFixture } from './release-fixture.ts';

export class FakeSwarm extends EventEmitter implements RunningSwarm {
  readonly port = 6881;
  readonly options: SwarmOptions;
  readonly #release: ReleaseFixture;
  readonly #machine: FakeMachine;
  readonly #stalledAt: number;
  #bytes = 0;
  /** undefined: as the swarm decides by itself. */
  readonly tuning: Partial<SwarmTuning> | undefined;
  closed = 0;
  uploaded = 0;

  constructor(
    options: SwarmOptions,
    release: ReleaseFixture,
    machine: FakeMachine,
    stalledAt: number,
    tuning?: Partial<SwarmTuning>,
  ) {
    super();
    this.tuning = tuning;
    this.options = options;
    this.#release = release;
    this.#machine = machine;
    this.#stalledAt = stalledAt;
  }

  stats = (): SwarmStats => ({
    pieces: Math.floor(this.#bytes / 65536),
    pieceCount: this.options.metainfo.pieceCount,
    bytes: this.#bytes,
    totalBytes: this.options.metainfo.payloadLength,
    downloaded: { peers: this.#bytes, seeder: 0, webseed: 0 },
    uploaded: this.uploaded,
    hashFailures: 0,
    peers: 2,
    seeds: 1,
    downBytesPerSecond: 100_000,
    upBytesPerSecond: 0,
    bannedPeers: 0,
  });

  /** Writes a file a second, unless everything is there from the start; stops for ever at `stalledAt` bytes. */
  complete = async (signal?: AbortSignal): Promise<void> => {
    if (this.options.complete) this.#bytes = this.options.metainfo.payloadLength;
    for (const file of this.options.complete ? [] : this.options.metainfo.files) {
      if (file.pad) continue;
      await this.#machine.sleep(1000, signal);
      if (this.#bytes >= this.#stalledAt) return new Promise(() => {});
      await this.options.store.write(file.offset, readFileSync(join(this.#release.folder, file.path)));
      this.#bytes += file.length;
    }
  };

  close = async (): Promise<void> => {
    this.closed++;
  };
}

export interface FakeEngine extends Engine {
  readonly swarms: FakeSwarm[];
}

export interface Faults {
  /** The swarm has no more than this. */
  readonly stalledAt?: number;
  /** Paths whose bytes read back as zeros, as pmem where no RAM is. */
  readonly forgetful?: (path: string) => boolean;
}

function forget(store: Store, segments: readonly Segment[], forgetful: (path: string) => boolean): Store {
  const lost = segments.filter((segment) => segment.path !== undefined && forgetful(segment.path));
  return {
    length: store.length,
    write: (offset, bytes) => store.write(offset, bytes),
    sync: () => store.sync(),
    close: () => store.close(),
    read: async (offset, target) => {
      await store.read(offset, target);
      if (lost.some((segment) => segment.offset <= offset && offset < segment.offset + segment.length))
        target.fill(0);
    },
  };
}

export function fakeEngine(machine: FakeMachine, release: ReleaseFixture, faults: Faults = {}): FakeEngine {
  const swarms: FakeSwarm[] = [];
  return {
    swarms,
    openStore: async (segments, mode) => {
      const store = await openSegmentStore(segments, mode);
      return mode === 'read' && faults.forgetful ? forget(store, segments, faults.forgetful) : store;
    },
    startSwarm: async (options, tuning) => {
      const stalledAt = faults.stalledAt ?? Number.POSITIVE_INFINITY;
      const swarm = new FakeSwarm(options, release, machine, stalledAt, tuning);
      swarms.push(swarm);
      return swarm;
    },
  };
}
