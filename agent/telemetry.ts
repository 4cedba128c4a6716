/**
 * Tells the boot server how the boot goes. Best effort: a bounded queue, one POST at a time, a short deadline; it
 * never throws and never makes a boot wait, except where a caller gives it so many milliseconds.
 */
import * as v from 'valibot';
import { TELEMETRY_PATH } from '../contract/paths.ts';
import {
  TELEMETRY_LIMIT_BYTES,
  TELEMETRY_LIMIT_EVENTS,
  type TelemetryAnswer,
  type TelemetryDraft,
  type TelemetryEvent,
  telemetryAnswerSchema,
} from '../contract/telemetry.ts';
import { httpExchange } from './http-get.ts';
import { type Machine, uptimeSeconds } from './machine.ts';

/** Events that wait for a server; older progress goes first. */
export const QUEUE_LIMIT = 200;
const POST_TIMEOUT_MS = 2000;
const ANSWER_LIMIT_BYTES = 4096;
/** Between tries at a server that does not answer. */
const RETRY_MS = 5000;

/** Posts one NDJSON body and returns the answer's; rejects as it likes. */
export type Post = (body: string) => Promise<string>;

export interface Telemetry {
  /** Random for each boot of the machine, 16 hex digits; the seeder of the real system goes on under the same. */
  readonly boot: string;
  /** Queues an event and lets it go in the background. */
  send(draft: TelemetryDraft): void;
  /** Nothing is sent before the machine has a name. */
  identify(mac: string): void;
  /** Sends this event with all that waits, now; the server's answer, or undefined if there is none in time. */
  ask(draft: TelemetryDraft): Promise<TelemetryAnswer | undefined>;
  /** Sends what waits; returns when all is sent, a try failed, or the time is over. */
  flush(limitMs: number): Promise<void>;
}

/** URL for the events, given the server's base URL. */
export const telemetryUrl = (server: string): string =>
  new URL(TELEMETRY_PATH, server.endsWith('/') ? server : `${server}/`).href;

export const httpPost =
  (url: string): Post =>
  async (body) => {
    const answer = await httpExchange(url, {
      limitBytes: ANSWER_LIMIT_BYTES,
      timeoutMs: POST_TIMEOUT_MS,
      body: { type: 'application/x-ndjson', text: body },
    });
    return answer.toString('utf8');
  };

/** Drops what is worth least: the oldest progress, else the oldest event. */
function trim(queue: TelemetryEvent[]): void {
  while (queue.length > QUEUE_LIMIT) {
    const progress = queue.findIndex((event) => event.event === 'progress');
    queue.splice(Math.max(0, progress), 1);
  }
}

/** The events of the next batch as lines, within the limits of the contract. */
function batchOf(queue: readonly TelemetryEvent[], mac: string): string[] {
  const lines: string[] = [];
  let lengthBytes = 0;
  for (const event of queue) {
    const line = JSON.stringify({ ...event, mac });
    lengthBytes += Buffer.byteLength(line) + 1;
    if (lines.length >= TELEMETRY_LIMIT_EVENTS || lengthBytes > TELEMETRY_LIMIT_BYTES) break;
    lines.push(line);
  }
  return lines;
}

/** `post` undefined: there is no server to tell. */
export function createTelemetry(
  machine: Machine,
  post: Post | undefined,
  boot = machine.randomBytes(8).toString('hex'),
): Telemetry {
  const queue: TelemetryEvent[] = [];
  let mac: string | undefined;
  let posting: Promise<TelemetryAnswer | undefined> | undefined;
  let retryAtMs = Number.NEGATIVE_INFINITY;

  const enqueue = (draft: TelemetryDraft): void => {
    if (!post) return;
    const uptime = Number(uptimeSeconds(machine).toFixed(3));
    queue.push({ ...draft, mac: mac ?? '', boot, uptime } as TelemetryEvent);
    trim(queue);
  };

  const postBatch = async (send: Post, name: string): Promise<TelemetryAnswer | undefined> => {
    const lines = batchOf(queue, name);
    const batch = queue.splice(0, Math.max(1, lines.length)); // an event too long for any batch goes too
    try {
      const answer = v.safeParse(telemetryAnswerSchema, JSON.parse(await send(`${lines.join('\n')}\n`)));
      return answer.success ? answer.output : undefined;
    } catch {
      queue.unshift(...batch.filter((event) => event.event !== 'progress'));
      trim(queue);
      retryAtMs = machine.now() + RETRY_MS;
      return undefined;
    }
  };

  /** Sends one batch unless one is under way. */
  const postOne = (): Promise<TelemetryAnswer | undefined> => {
    if (posting) return posting;
    if (!post || mac === undefined || queue.length === 0) return Promise.resolve(undefined);
    posting = postBatch(post, mac).finally(() => {
      posting = undefined;
    });
    return posting;
  };

  const kick = (): void => {
    if (posting || mac === undefined || machine.now() < retryAtMs) return;
    void postOne().then(() => {
      if (queue.length > 0 && machine.now() >= retryAtMs) kick();
    });
  };

  return {
    boot,
    send(draft) {
      enqueue(draft);
      kick();
    },
    identify(name) {
      mac = name;
      kick();
    },
    async ask(draft) {
      await posting;
      enqueue(draft);
      let answer: TelemetryAnswer | undefined;
      do answer = await postOne();
      while (answer !== undefined && queue.length > 0);
      return answer;
    },
    async flush(limitMs) {
      const controller = new AbortController();
      const all = async (): Promise<void> => {
        await posting;
        while (queue.length > 0 && (await postOne()) !== undefined);
      };
      const over = machine.sleep(limitMs, controller.signal).catch(() => {});
      await Promise.race([all(), over]);
      controller.abort();
    },
  };
}
