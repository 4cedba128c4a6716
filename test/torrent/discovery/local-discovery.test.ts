/** On loopback, through the real multicast groups. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import {
  LOCAL_GROUP_V4,
  LOCAL_PORT,
  LONGEST_ANNOUNCEMENT_BYTES,
} from '../../../torrent/discovery/local-announcement.ts';
import {
  type LocalDiscoveryOptions,
  startLocalDiscovery,
} from '../../../torrent/discovery/local-discovery.ts';
import type { Endpoint } from '../../../torrent/endpoint.ts';
import { until } from '../swarm-fixtures.ts';

function start(t: TestContext, options: Partial<LocalDiscoveryOptions> & { infohash: string; port: number }) {
  const found: Endpoint[] = [];
  const warnings: string[] = [];
  const discovery = startLocalDiscovery({
    alsoKnownAs: [],
    host: '127.0.0.1',
    peers: () => 0,
    onPeer: (endpoint) => found.push(endpoint),
    onWarning: (message) => warnings.push(message),
    now: () => performance.now(),
    random: Math.random,
    ...options,
  });
  t.after(() => discovery.close());
  return { found, warnings, discovery };
}

const infohash = (): string => randomBytes(20).toString('hex');

test('the older hears the newcomer, the newcomer the answer, nobody itself, strangers to the torrent nothing', async (t) => {
  const shared = infohash();
  const older = start(t, { infohash: shared, port: 1001 });
  const other = start(t, { infohash: infohash(), port: 1003 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const startedAt = performance.now();
  const newcomer = start(t, { infohash: shared, port: 1002 });
  await until(() => older.found.length > 0, 'the newcomer is heard');
  t.diagnostic(`heard after ${(performance.now() - startedAt).toFixed(1)} ms`);
  await until(() => newcomer.found.length > 0, 'the newcomer hears the older');
  t.diagnostic(`both after ${(performance.now() - startedAt).toFixed(0)} ms`);
  assert.deepEqual(older.found, [{ host: '127.0.0.1', port: 1002 }]);
  assert.deepEqual(newcomer.found, [{ host: '127.0.0.1', port: 1001 }]);
  assert.deepEqual(other.found, []);
  assert.deepEqual([...older.warnings, ...newcomer.warnings, ...other.warnings], []);
});

test('a hybrid torrent is known by its other name too', async (t) => {
  const second = infohash();
  const hybrid = start(t, { infohash: infohash(), alsoKnownAs: [second], port: 1004 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  start(t, { infohash: second, port: 1005 });
  await until(() => hybrid.found.length > 0, 'the v2 name is heard');
  assert.deepEqual(hybrid.found, [{ host: '127.0.0.1', port: 1005 }]);
});

test('datagrams of any kind do no harm, and what is right among them is heard', async (t) => {
  const shared = infohash();
  const listener = start(t, { infohash: shared, port: 1006 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  const send = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => socket.send(bytes, LOCAL_PORT, LOCAL_GROUP_V4, () => resolve()));
  const right = Buffer.from(`BT-SEARCH * HTTP/1.1\r\nPort: 7\r\nInfohash: ${shared}\r\n\r\n\r\n`);
  for (let length = 0; length < right.length - 6; length += 7) await send(right.subarray(0, length));
  for (let n = 0; n < 20; n++) await send(randomBytes(1 + n * 70));
  await send(Buffer.alloc(LONGEST_ANNOUNCEMENT_BYTES + 100, 0x41));
  assert.deepEqual(listener.found, []);
  await send(right);
  await until(() => listener.found.length > 0, 'the right one is heard');
  assert.deepEqual(listener.found, [{ host: '127.0.0.1', port: 7 }]);
});
