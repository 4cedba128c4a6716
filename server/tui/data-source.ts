/** The console's data: the database of the state folder, and what the running server says at /status. */
import { randomBytes } from 'node:crypto';
import type { Arch } from '../../contract/manifest.ts';
import { describeTarget } from '../assignments/assignment.ts';
import { questionOf } from '../assignments/boot-desk.ts';
import { resolve } from '../assignments/resolve.ts';
import { listReleases } from '../catalog/list-releases.ts';
import { logEvent } from '../database/event-log.ts';
import { databaseFailure, databasePath, transaction } from '../database/open-database.ts';
import { readServerNote } from '../database/server-note.ts';
import type { Status } from '../machines/status.ts';
import { openSite, type Site } from '../site.ts';
import type { Action, DataSource, MachineView, SiteView } from './site-view.ts';

const STATUS_MS = 2_000;
const BOOTS_SHOWN = 8;

async function statusOf(url: string): Promise<Status> {
  const answer = await fetch(`${url}/status`, { signal: AbortSignal.timeout(STATUS_MS) });
  if (!answer.ok) throw new Error(`it answers with ${answer.status}`);
  return (await answer.json()) as Status;
}

/** What can be heard of the server, or why nothing. */
async function hear(url: string | undefined): Promise<{ status?: Status; problem?: string }> {
  if (url === undefined) return { problem: 'The server has not run yet; start it with "swarmboot serve"' };
  try {
    return { status: await statusOf(url) };
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    return { problem: `No answer from ${url} (${reason}): live states are missing; start "swarmboot serve"` };
  }
}

export class LiveDataSource implements DataSource {
  readonly #state: string;
  readonly #url: string | undefined;
  readonly #site: Site;

  /** `url` undefined asks the server where it is, by the note that it left in the database. */
  constructor(state: string, url: string | undefined) {
    this.#state = state;
    this.#url = url;
    this.#site = openSite(state);
  }

  async read(nowMs: number): Promise<SiteView> {
    const site = this.#site;
    const releases = (await listReleases(this.#state)).filter(({ current }) => current);
    const images = releases.map(({ name, version, arch }) => ({ name, version, arch: arch as Arch }));
    try {
      const note = readServerNote(site.db);
      const url = this.#url ?? note?.url;
      const { status, problem } = await hear(url);
      const live = new Map(status?.machines.map((machine) => [machine.mac, machine]));
      const machines = site.machines.list().map((known): MachineView => {
        const { mac, name, group, arch = 'amd64', memoryBytes, lastSeenMs } = known;
        const asking = { mac, arch, ip: known.ip, picked: undefined };
        const defaults = { image: note?.image, parameters: [] };
        const decision = resolve(questionOf(site, asking, images, defaults));
        const { image, once } = decision;
        const reason = decision.problem ?? decision.reason;
        return {
          ...{ mac, name, group, arch: known.arch, memoryBytes, lastSeenMs, image, reason, once },
          live: live.get(mac),
          boots: site.boots.list(mac, BOOTS_SHOWN),
        };
      });
      const groups = site.groups.list().map(({ name }) => ({
        name,
        image: site.assignments.get({ scope: 'group', key: name })?.image,
      }));
      return { machines, groups, images, server: { url, problem }, nowMs };
    } catch (error) {
      throw databaseFailure(error, databasePath(this.#state));
    }
  }

  async perform(action: Action, nowMs: number): Promise<string> {
    const site = this.#site;
    const { image } = action;
    try {
      return transaction(site.db, () => {
        if (action.kind === 'next') {
          const sentence = image === undefined ? 'next boot as usual' : `next boot, and only that: ${image}`;
          for (const mac of action.macs) {
            if (image === undefined) site.assignments.cancelNextBoot(mac);
            else site.assignments.orderNextBoot({ mac, image, token: randomBytes(16).toString('hex') });
            logEvent(site.db, nowMs, mac, sentence);
          }
          return `${action.macs.length === 1 ? action.macs[0] : `${action.macs.length} machines`}: ${sentence}`;
        }
        const { target } = action;
        const before = site.assignments.get(target);
        site.assignments.put({
          ...{ parameters: undefined, systemParameters: undefined, menuSeconds: undefined },
          ...before,
          ...{ target, image },
        });
        const sentence = `${describeTarget(target)}: ${image === undefined ? 'no image of its own' : `image ${image}`}`;
        logEvent(site.db, nowMs, target.scope === 'machine' ? target.key : undefined, sentence);
        return sentence;
      });
    } catch (error) {
      throw databaseFailure(error, databasePath(this.#state));
    }
  }

  close(): void {
    this.#site.close();
  }
}
