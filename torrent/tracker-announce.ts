/**
 * One announce, over HTTP (BEP 3) through bittorrent-tracker's client behind guards, or over UDP (tracker-udp.ts).
 *
 * As it comes, that client ends the process when a tracker closes half-way, follows any interval, reads bodies of any
 * size and decodes them with a decoder that can be made to fill all memory. Here it lives for one announce only, its
 * timer is taken away, and its HTTP requests go through our own bounded GET and decoder.
 */
import Client, { type AnnounceOptions, type ClientTracker } from 'bittorrent-tracker/client';
import { type Endpoint, parseEndpoint } from './endpoint.ts';
import { httpGet } from './http-get.ts';
import { ANSWER_LIMIT_BYTES, PEERS_LIMIT, parseAnswer, printable, TrackerError } from './tracker-answer.ts';
import { announceOverUdp } from './tracker-udp.ts';

export type TrackerEvent = 'started' | 'completed' | 'stopped' | undefined;

export interface Announce {
  readonly url: string;
  readonly infohash: Uint8Array;
  readonly peerId: Uint8Array;
  /** Our listening port; 0 if there is none. */
  readonly port: number;
  readonly event: TrackerEvent;
  /** In bytes. */
  readonly uploaded: number;
  readonly downloaded: number;
  readonly left: number;
  /** The address others shall find us at, if the tracker cannot see it (HTTP only). */
  readonly host?: string | undefined;
  readonly trackerId?: string | undefined;
}

export interface TrackerAnswer {
  readonly peers: readonly Endpoint[];
  /** As asked for by the tracker, in ms; not clamped. */
  readonly intervalMs: number | undefined;
  readonly trackerId: string | undefined;
}

const PEERS_WANTED = 50;
const HTTP_TOTAL_MS = 10_000;
/** Lost datagrams are not repeated, so a short deadline and our own retry do it. */
const UDP_TOTAL_MS = 3_000;

/** Binary strings have one character for each byte; RFC 3986 leaves only these as they are. */
const escapeByte = (character: string): string => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
const escapeBinary = (text: string): string => text.replace(/[^A-Za-z0-9._~-]/g, escapeByte);

async function getAnswer(url: string, signal: AbortSignal): Promise<object> {
  const chunks: Buffer[] = [];
  let length = 0;
  await httpGet(url, {
    stallMs: HTTP_TOTAL_MS,
    totalMs: HTTP_TOTAL_MS,
    signal,
    onHead: ({ statusCode }) => {
      // Some trackers send a failure reason with a 4xx: the body says more than the number.
      if (statusCode !== 200 && statusCode !== 400) {
        throw new TrackerError('tracker-failure', `Tracker answered with HTTP status ${statusCode}`);
      }
    },
    onData: (chunk) => {
      length += chunk.length;
      if (length > ANSWER_LIMIT_BYTES) {
        throw new TrackerError(
          'tracker-malformed',
          `Tracker's answer is longer than ${ANSWER_LIMIT_BYTES} bytes`,
        );
      }
      chunks.push(Buffer.from(chunk));
    },
  });
  return parseAnswer(Buffer.concat(chunks));
}

/** Puts our GET and decoder in the place of the client's. Its callback must never throw into a promise of its own. */
function guardHttp(tracker: ClientTracker, signal: AbortSignal, fail: (error: unknown) => void): void {
  tracker._request = async (url, parameters, callback) => {
    try {
      const query = Object.entries(parameters)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}=${escapeBinary(String(value))}`)
        .join('&');
      const data = await getAnswer(`${url}${url.includes('?') ? '&' : '?'}${query}`, signal);
      if (!signal.aborted) callback(null, data);
    } catch (error) {
      fail(error);
    }
  };
}

const counter = (bytes: number): number => (Number.isFinite(bytes) ? Math.max(0, Math.floor(bytes)) : 0);

function send(client: Client, { event, ...announce }: Announce): void {
  const options: AnnounceOptions = {
    uploaded: counter(announce.uploaded),
    downloaded: counter(announce.downloaded),
    left: counter(announce.left),
    numwant: event === 'stopped' ? 0 : PEERS_WANTED,
    ...(announce.host === undefined ? {} : { ip: announce.host }),
  };
  if (event === 'started') client.start(options);
  else if (event === 'completed') client.complete(options);
  else if (event === 'stopped') client.stop(options);
  else client.update(options);
}

/** Announces once. Throws `TrackerError`; settles within 10 s, or at once when `signal` aborts. */
export async function announceOnce(announce: Announce, signal: AbortSignal): Promise<TrackerAnswer> {
  const isUdp = announce.url.startsWith('udp:');
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(isUdp ? UDP_TOTAL_MS : HTTP_TOTAL_MS)]);
  try {
    return await (isUdp ? overUdp(announce, deadline) : overHttp(announce, deadline));
  } catch (error) {
    if (error instanceof TrackerError) throw error;
    const reason = error instanceof Error ? printable(error.message) : 'no answer';
    const sentence = `Cannot announce to ${JSON.stringify(announce.url)}: ${reason}`;
    throw new TrackerError('tracker-unreachable', sentence, error);
  }
}

async function overUdp(announce: Announce, signal: AbortSignal): Promise<TrackerAnswer> {
  const peersWanted = announce.event === 'stopped' ? 0 : PEERS_WANTED;
  const { url, port } = announce;
  // As for HTTP: a port of 0 is refused by many.
  const told = { ...announce, port: port === 0 ? 1 : port, peersWanted };
  return { ...(await announceOverUdp(url, told, signal)), trackerId: undefined };
}

function overHttp(announce: Announce, deadline: AbortSignal): Promise<TrackerAnswer> {
  const { url } = announce;
  const { promise, resolve, reject: fail } = Promise.withResolvers<TrackerAnswer>();
  const peers = new Map<string, Endpoint>();
  let intervalMs: number | undefined;
  const onAbort = () => fail(new Error('no answer in time'));
  deadline.addEventListener('abort', onAbort);

  const client = new Client({
    infoHash: announce.infohash,
    peerId: announce.peerId,
    announce: [url],
    // The package refuses 0. Port 1 (tcpmux) is what clients that do not listen have always announced.
    port: announce.port === 0 ? 1 : announce.port,
    userAgent: 'swarmboot',
    wrtc: false,
  });
  client.on('error', fail);
  client.on('warning', fail);
  client.on('peer', (address: unknown) => {
    const endpoint = typeof address === 'string' ? parseEndpoint(address) : undefined;
    if (endpoint && peers.size < PEERS_LIMIT) peers.set(address as string, endpoint);
  });
  const tracker = client._trackers[0];
  client.on('update', () => {
    // The peers are emitted in the same tick, after `update`.
    queueMicrotask(() => resolve({ peers: [...peers.values()], intervalMs, trackerId: tracker?._trackerId }));
  });

  if (tracker?._request === undefined) {
    fail(
      new TrackerError(
        'tracker-unsupported',
        `Tracker ${JSON.stringify(url)} is neither http, https nor udp`,
      ),
    );
  } else {
    tracker.setInterval = (asked) => {
      intervalMs = asked ?? intervalMs;
    };
    if (announce.trackerId !== undefined) tracker._trackerId = announce.trackerId;
    guardHttp(tracker, deadline, fail);
    try {
      send(client, announce);
    } catch (error) {
      fail(error);
    }
  }
  return promise.finally(() => {
    deadline.removeEventListener('abort', onAbort);
    client.destroy(() => undefined);
  });
}
