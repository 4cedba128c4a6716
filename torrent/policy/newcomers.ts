/**
 * Who gets a place at a machine that has all the peers it wants: a newcomer takes that of somebody drawn by lot, so that who
 * knows whom does not depend on who came first. Else those that start first fill each other's places, a clique to which pieces
 * find few ways, and those that start last are in nobody's list.
 *
 * With a chance of places / all who asked so far, each of them is among the chosen with the same chance (reservoir sampling); whoever
 * comes much later has LEAST_CHANCE. A host has one chance in a while, or it could drive out everybody else by asking
 * often.
 */
import { ACCEPT_UNTIL } from './mesh.ts';
import { isLoopback } from './peer-book.ts';

const LEAST_CHANCE = 0.25;
const CHANCE_EVERY_MS = 5000;
const MOST_HOSTS = 1024;

export class Newcomers {
  #asked = 0;
  /** Host -> when it last had its chance, in ms; the oldest first. On loopback all peers share a host. */
  readonly #chances = new Map<string, number>();

  /** To be asked once for each newcomer, also where places are free. True: where none is, somebody has to go for it. */
  mayReplace(host: string, now: number, random: () => number): boolean {
    this.#asked++;
    if (!isLoopback(host)) {
      const last = this.#chances.get(host);
      if (last !== undefined && now - last < CHANCE_EVERY_MS) return false;
      this.#chances.delete(host);
      this.#chances.set(host, now);
      for (const oldest of this.#chances.keys()) {
        if (this.#chances.size <= MOST_HOSTS) break;
        this.#chances.delete(oldest);
      }
    }
    return random() < Math.max(ACCEPT_UNTIL / this.#asked, LEAST_CHANCE);
  }
}
