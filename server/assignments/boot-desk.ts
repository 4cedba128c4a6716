/**
 * Where a machine asks what it boots: looks up what is assigned, decides, and notes it.
 *
 * Invariant: no error of the database stops a boot. With a full disk or a damaged file machines boot what they would
 * boot without any assignment, and the log says why.
 *
 * A one-shot next boot is taken when the initramfs of stage-1 has been sent whole to the machine that was given its
 * token: iPXE loads it last, so a boot that fails before still has its order, and one that fails later does not come
 * back to it for ever.
 */
import type { Arch } from '../../contract/manifest.ts';
import type { TelemetryEvent } from '../../contract/telemetry.ts';
import { logEvent } from '../database/event-log.ts';
import { databaseFailure, databasePath } from '../database/open-database.ts';
import { type ServerNote, writeServerNote } from '../database/server-note.ts';
import type { Site } from '../site.ts';
import { type AvailableImage, type Decision, type Question, resolve } from './resolve.ts';

export interface AskingMachine {
  readonly mac: string | undefined;
  readonly ip: string;
  readonly arch: Arch;
  /** Image picked in the menu. */
  readonly picked: string | undefined;
}

export interface Advice {
  readonly decision: Decision;
  /** Name that people gave the machine. */
  readonly machine: string | undefined;
  /** Token of the one-shot order, if that is what decided. */
  readonly token: string | undefined;
}

export interface ServerDefaults {
  /** `serve --image`. */
  readonly image: string | undefined;
  /** `serve --append`. */
  readonly parameters: readonly string[];
}

/** Gathers what `resolve` needs to know of a machine. */
export function questionOf(
  site: Site,
  { mac, ip, arch, picked }: Omit<AskingMachine, 'ip'> & { readonly ip: string | undefined },
  images: readonly AvailableImage[],
  defaults: ServerDefaults,
): Question {
  const known = mac === undefined ? undefined : site.machines.get(mac);
  return {
    ...{ mac, arch, picked, images, ip: ip ?? known?.ip, group: known?.group },
    next: mac === undefined ? undefined : site.assignments.nextBoot(mac)?.image,
    assignments: site.assignments.list(),
    serverImage: defaults.image,
    serverParameters: defaults.parameters,
  };
}

export class BootDesk {
  readonly #site: Site;
  readonly #state: string;
  readonly #defaults: ServerDefaults;
  readonly #problem: (sentence: string) => void;

  constructor(site: Site, state: string, defaults: ServerDefaults, problem: (sentence: string) => void) {
    this.#site = site;
    this.#state = state;
    this.#defaults = defaults;
    this.#problem = problem;
  }

  /** Leaves a note for the commands that run beside the server. */
  started(note: ServerNote): void {
    this.#try(() => writeServerNote(this.#site.db, note));
  }

  /** Decides for a machine that asks for its script. `images` is what is published, sorted by name. */
  advise(asking: AskingMachine, images: readonly AvailableImage[]): Advice {
    const advice = this.#try(() => {
      const { mac } = asking;
      const decision = resolve(questionOf(this.#site, asking, images, this.#defaults));
      const order = mac === undefined ? undefined : this.#site.assignments.nextBoot(mac);
      const machine = mac === undefined ? undefined : this.#site.machines.get(mac)?.name;
      return { decision, machine, token: decision.once ? order?.token : undefined };
    });
    if (advice) return advice;
    const decision = resolve({
      ...{ ...asking, images, group: undefined, next: undefined, assignments: [] },
      serverImage: this.#defaults.image,
      serverParameters: this.#defaults.parameters,
    });
    return { decision, machine: undefined, token: undefined };
  }

  /** A machine has been given its script. `release` is `image/version`. */
  scriptGiven(
    mac: string,
    { ip, arch }: { readonly ip: string; readonly arch: Arch | undefined },
    release: string | undefined,
    reason: string,
    nowMs: number,
  ): void {
    this.#try(() => {
      this.#site.machines.seen(mac, ip, arch, nowMs);
      this.#site.boots.begun(mac, release, reason, nowMs);
    });
  }

  /** The initramfs with this token in its URL has gone out whole. */
  initramfsSent(token: string, nowMs: number): void {
    this.#try(() => {
      const order = this.#site.assignments.takeNextBoot(token);
      if (order) logEvent(this.#site.db, nowMs, order.mac, `one-shot boot of ${order.image} has begun`);
    });
  }

  /** Notes what lasts of an event; what comes every few seconds is in the machine book only. */
  reported(event: TelemetryEvent, ip: string, nowMs: number): void {
    if (event.event === 'progress' || event.event === 'seeding') return;
    this.#try(() => {
      this.#site.machines.seen(event.mac, ip, undefined, nowMs);
      if (event.event === 'machine') this.#site.machines.learn(event);
      this.#site.boots.apply(event, nowMs);
    });
  }

  #try<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#problem((databaseFailure(error, databasePath(this.#state)) as Error).message);
      return undefined;
    }
  }
}
