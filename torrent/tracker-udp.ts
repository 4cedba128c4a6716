/**
 * One announce over UDP (BEP 15), by every address family that the tracker's name has: a tracker tells IPv6 peers only
 * to who asks over IPv6. bittorrent-tracker's client, which serves for HTTP, opens IPv4 sockets only.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { AddressFamily } from './discovery/compact-endpoints.ts';
import {
  announceDatagram,
  connectDatagram,
  parseUdpAnswer,
  type UdpAnnounce,
  type UdpAnswer,
} from './discovery/udp-tracker-message.ts';
import type { Endpoint } from './endpoint.ts';
import { printable, TrackerError } from './tracker-answer.ts';

export type UdpTrackerAnnounce = Omit<UdpAnnounce, 'connectionId' | 'transaction' | 'key'>;

export interface UdpTrackerAnswer {
  readonly peers: readonly Endpoint[];
  readonly intervalMs: number;
}

const DEFAULT_PORT = 80;
/** Once one family has answered, the other gets so much more: its packets may go nowhere. */
const SECOND_FAMILY_MS = 300;

/** One of each family, in the order of the system's preference. */
async function addressesOf(hostname: string): Promise<{ address: string; family: AddressFamily }[]> {
  // A URL has IPv6 addresses in brackets.
  const found = await lookup(hostname.replace(/^\[(.*)\]$/, '$1'), { all: true });
  const families = new Map<AddressFamily, string>();
  for (const { address, family } of found) {
    const name = family === 6 ? 'IPv6' : 'IPv4';
    if (!families.has(name)) families.set(name, address);
  }
  return [...families].map(([family, address]) => ({ address, family }));
}

function announceTo(
  {
    address,
    family,
    port,
  }: { readonly address: string; readonly family: AddressFamily; readonly port: number },
  announce: UdpTrackerAnnounce,
  key: number,
  signal: AbortSignal,
): Promise<UdpTrackerAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<UdpTrackerAnswer>();
  const socket = createSocket(family === 'IPv6' ? 'udp6' : 'udp4');
  let asked = { transaction: randomInt(2 ** 32), action: 'connect' as 'connect' | 'announce', family };
  const take = (answer: UdpAnswer): void => {
    switch (answer.is) {
      case 'connected': {
        const { connectionId } = answer;
        const transaction = randomInt(2 ** 32);
        asked = { transaction, action: 'announce', family };
        socket.send(announceDatagram({ ...announce, connectionId, transaction, key }));
        break;
      }
      case 'announced':
        resolve({ peers: answer.peers, intervalMs: answer.intervalSeconds * 1000 });
        break;
      case 'failure':
        reject(new TrackerError('tracker-failure', `Tracker refused: "${printable(answer.reason)}"`));
        break;
      case 'malformed':
        reject(new TrackerError('tracker-malformed', `Tracker sent ${answer.reason}`));
    }
  };
  const abort = (): void => reject(new Error('no answer in time'));
  signal.addEventListener('abort', abort);
  socket.on('error', reject);
  socket.on('message', (datagram) => take(parseUdpAnswer(datagram, asked)));
  // A connected socket hears its tracker alone, and hears of it if nobody is there. What keeps it from connecting, such as
  // a network that is not up yet, is told to the callback and to nobody else; its type does not say so.
  socket.connect(port, address, (failure?: Error) => {
    if (failure) reject(failure);
    else if (signal.aborted) abort();
    else socket.send(connectDatagram(asked.transaction));
  });
  return promise.finally(() => {
    signal.removeEventListener('abort', abort);
    socket.close();
  });
}

/** Rejects when `signal` aborts. */
const ending = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const abort = (): void => reject(new Error('no answer in time'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });

/** Answers of all families together; one is enough. Throws `TrackerError` or the system's error; `signal` is the deadline. */
export async function announceOverUdp(
  url: string,
  announce: UdpTrackerAnnounce,
  signal: AbortSignal,
): Promise<UdpTrackerAnswer> {
  const { hostname, port } = new URL(url);
  const addresses = await Promise.race([addressesOf(hostname), ending(signal)]);
  const key = randomInt(2 ** 32);
  const enough = new AbortController();
  const deadline = AbortSignal.any([signal, enough.signal]);
  let grace: NodeJS.Timeout | undefined;
  const outcomes = await Promise.allSettled(
    addresses.map(async (address) => {
      const to = { ...address, port: port === '' ? DEFAULT_PORT : Number(port) };
      const answer = await announceTo(to, announce, key, deadline);
      grace ??= setTimeout(() => enough.abort(), SECOND_FAMILY_MS);
      return answer;
    }),
  );
  clearTimeout(grace);
  const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const [first] = answers;
  if (!first) throw outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
  return { peers: answers.flatMap(({ peers }) => peers), intervalMs: first.intervalMs };
}
