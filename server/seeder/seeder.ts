/**
 * Seeds the current releases with the same engine that the machines run; it holds what planSeeding decides.
 * The seeder is not announced to a tracker: the tracker names it by itself, under the address by which the asking peer can
 * reach it.
 */
import {
  directorySegments,
  openSegmentStore,
  type Store,
  Swarm,
  type SwarmOptions,
} from '../../torrent/index.ts';
import type { Release } from '../catalog/load-release.ts';
import { Failure, systemCode } from '../failure.ts';
import { planSeeding, type Seeding } from './seeding-plan.ts';

export interface SeederOptions {
  readonly host: string;
  /** First port; 0 lets the system choose. */
  readonly port: number;
  /** Upload limit of each release in bytes per second; undefined for none. */
  readonly uploadBytesPerSecond: number | undefined;
  readonly warn: (message: string, fields: Record<string, unknown>) => void;
}

interface Running {
  readonly release: Release;
  readonly swarm: Swarm;
  readonly store: Store;
}

const keyOf = (release: Release): string => `${release.name}/${release.version}`;

export class Seeder {
  readonly #options: SeederOptions;
  readonly #running = new Map<string, Running>();
  #plan: readonly Seeding[] = [];
  #uploadedBefore = 0;

  constructor(options: SeederOptions) {
    this.#options = options;
  }

  /**
   * Starts and stops swarms until `releases` (the default image's first) are what is seeded.
   * Throws `Failure` `port-in-use` if a port is taken; the others are seeded all the same.
   */
  async sync(releases: readonly Release[], nowMs: number): Promise<void> {
    const byKey = new Map(releases.map((release) => [keyOf(release), release]));
    const change = planSeeding(this.#plan, [...byKey.keys()], this.#options.port, nowMs);
    for (const key of change.stop) await this.#stop(key);
    this.#plan = change.running;
    let failure: unknown;
    for (const { key, port } of change.start) {
      const release = byKey.get(key);
      if (!release) continue;
      try {
        this.#running.set(key, await this.#start(release, port));
      } catch (error) {
        this.#plan = this.#plan.filter((seeding) => seeding.key !== key); // the next sync tries again
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** The port on which a release is seeded, or undefined. */
  portOf(release: Release): number | undefined {
    return this.#running.get(keyOf(release))?.swarm.port;
  }

  /** Port of the release whose 20-byte wire infohash is `infohashHex`. */
  portOfInfohash(infohashHex: string): number | undefined {
    for (const { release, swarm } of this.#running.values()) {
      if (release.metainfo.wireInfohash.toString('hex') === infohashHex) return swarm.port;
    }
    return undefined;
  }

  /** Infohashes on the wire, as hex, of all that is seeded. */
  infohashes(): string[] {
    return [...this.#running.values()].map(({ release }) => release.metainfo.wireInfohash.toString('hex'));
  }

  /** Payload bytes sent since the server began. */
  uploadedBytes(): number {
    let sum = this.#uploadedBefore;
    for (const { swarm } of this.#running.values()) sum += swarm.stats().uploaded;
    return sum;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((key) => this.#stop(key)));
  }

  async #start(release: Release, port: number): Promise<Running> {
    const { host, uploadBytesPerSecond, warn } = this.#options;
    const store = await openSegmentStore(
      directorySegments(release.metainfo, release.payloadDirectory),
      'read',
    );
    const options: SwarmOptions = {
      metainfo: release.metainfo,
      store,
      complete: true,
      listen: { host, port },
      localDiscovery: true,
      trackers: [],
      webseeds: [],
      role: 'origin',
      ...(uploadBytesPerSecond === undefined ? {} : { uploadBytesPerSecond }),
    };
    try {
      const swarm = await Swarm.start(options);
      swarm.on('warning', (warning) =>
        warn(warning.message, { code: warning.code, release: keyOf(release) }),
      );
      return { release, swarm, store };
    } catch (error) {
      await store.close();
      if (systemCode(error) === 'EADDRINUSE') {
        throw new Failure(
          'port-in-use',
          `Port ${port} is in use, so ${release.name} ${release.version} is not seeded; stop the other program or give another --seeder-port`,
          { cause: error },
        );
      }
      throw error;
    }
  }

  async #stop(key: string): Promise<void> {
    const running = this.#running.get(key);
    if (!running) return;
    this.#running.delete(key);
    this.#uploadedBefore += running.swarm.stats().uploaded;
    await running.swarm.close();
    await running.store.close();
  }
}
