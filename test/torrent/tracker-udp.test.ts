import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceOverUdp } from '../../torrent/tracker-udp.ts';
import { INFOHASH, PEER_ID, udpAnswer, udpTracker } from './tracker-lab.ts';

const V4 = Buffer.from('0a0000011ae1', 'hex');
const V6 = Buffer.from('20010db80000000000000000000000011ae1', 'hex');
const FOUR = { host: '10.0.0.1', port: 6881 };
const SIX = { host: '2001:db8::1', port: 6881 };

const announce = (url: string) =>
  announceOverUdp(
    url,
    {
      ...{ infohash: INFOHASH, peerId: PEER_ID, event: 'started', port: 6881, peersWanted: 50 },
      ...{ downloaded: 1, left: 2, uploaded: 3 },
    },
    AbortSignal.timeout(5000),
  );

test('over IPv6 the peers are IPv6', async () => {
  await using tracker = await udpTracker((message) => udpAnswer(message, 60, V6), { host: '::1' });
  assert.deepEqual(await announce(tracker.url), { peers: [SIX], intervalMs: 60_000 });
});

test('a name with addresses of both families is asked over both', async (t) => {
  await using six = await udpTracker((message) => udpAnswer(message, 60, V6), { host: '::1' });
  await using four = await udpTracker((message) => udpAnswer(message, 60, V4), { port: six.port });
  const { peers } = await announce(`udp://localhost:${four.port}/`);
  // Not everywhere is localhost an IPv6 name too.
  if (six.messages.length === 0) t.diagnostic('localhost has no IPv6 address here');
  else assert.deepEqual(new Set(peers.map(({ host }) => host)), new Set([FOUR.host, SIX.host]));
});

test('a family that stays silent does not hold up the other', async () => {
  await using six = await udpTracker(() => undefined, { host: '::1' });
  await using four = await udpTracker((message) => udpAnswer(message, 60, V4), { port: six.port });
  assert.deepEqual((await announce(`udp://localhost:${four.port}/`)).peers, [FOUR]);
});

test('the deadline holds, also for a tracker that never answers', async () => {
  await using tracker = await udpTracker(() => undefined);
  const told = { infohash: INFOHASH, peerId: PEER_ID, event: undefined, port: 1, peersWanted: 0 };
  await assert.rejects(
    announceOverUdp(tracker.url, { ...told, downloaded: 0, left: 0, uploaded: 0 }, AbortSignal.timeout(50)),
    /no answer in time/,
  );
});

test('a tracker that cannot be reached from here, as before the network is up, is an error like any other', async () => {
  // The system lets no socket connect to the broadcast address that has not asked for that (udp(7)).
  await assert.rejects(announce('udp://255.255.255.255:6969/'), { code: 'EACCES' });
});
