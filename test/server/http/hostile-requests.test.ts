/** What strangers do to the HTTP port and the trackers behind it: bounded, and everyone else is served. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { limitConnections } from '../../../server/http/connection-limit.ts';
import { startServer } from '../running-server.ts';
import { get, rawRequest } from './raw-request.ts';

const { url, server, published } = await startServer();
const infohash = published.manifest.torrent.infohashV1.replace(/../g, '%$&');

const isServed = async (): Promise<void> => {
  const answer = await fetch(`${url}/images/lab/manifest.json`);
  assert.equal(answer.status, 200);
  assert.equal((await answer.arrayBuffer()).byteLength > 100, true);
};

/** Sends `request` byte by byte. Resolves to what was sent when the server closed, or rejects after `limitMs`. */
async function trickle(request: string, everyMs: number, limitMs: number): Promise<number> {
  const socket = connect({ port: server.httpPort, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.resume();
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < request.length && socket.write(request[sent]!)) sent++;
  }, everyMs);
  // `once` of node:events would take a reset, which is as good an end as any, for a failure.
  const closed = new Promise<true>((resolve) => socket.once('close', () => resolve(true)));
  try {
    const ended = await Promise.race([closed, sleep(limitMs, false, { ref: false })]);
    assert.ok(ended, `the server has not closed the connection after ${limitMs} ms`);
  } finally {
    clearInterval(timer);
    socket.destroy();
  }
  return sent;
}

test('a header that comes byte by byte is not awaited for ever, and others are served meanwhile', async () => {
  const endless = `GET /healthz HTTP/1.1\r\nHost: x\r\n${'X-A: b\r\n'.repeat(10_000)}`;
  const crowd = Array.from({ length: 100 }, () => trickle(endless, 100, 50_000));
  await sleep(500);
  await isServed();
  const sent = await Promise.all(crowd);
  assert.ok(
    sent.every((bytes) => bytes > 1),
    'they trickled',
  );
  await isServed();
});

test('a header that never ends is refused', async () => {
  const answer = await rawRequest(
    server.httpPort,
    get('/healthz', ['Host: x', `X-Long: ${'a'.repeat(100_000)}`]),
  );
  assert.match(answer, /^HTTP\/1\.1 431/);
  const many = Array.from({ length: 50_000 }, (_, index) => `X-${index}: b`);
  assert.match(await rawRequest(server.httpPort, get('/healthz', ['Host: x', ...many])), /^HTTP\/1\.1 431/);
  await isServed();
});

test('an announce flood is refused after a while, and a huge numwant brings no huge answer', async () => {
  const announce = (index: number): string =>
    `/announce?info_hash=${infohash}&peer_id=-XX0001-${String(index).padStart(12, '0')}&port=${1000 + index}&left=1&numwant=99999999`;
  const plain = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  let sent = 0;
  let refused = 0;
  let longest = 0;
  // However slow this machine is: as many in a row as it takes to be faster than what is allowed.
  for (let round = 0; round < 40 && refused === 0; round++) {
    const flood = Array.from({ length: 400 }, () => plain(announce(sent++))).join('');
    const answers = await rawRequest(server.httpPort, flood + get(announce(sent++)));
    refused += answers.split('too many requests').length - 1;
    for (const answer of answers.split('HTTP/1.1 200 OK')) longest = Math.max(longest, answer.length);
  }
  assert.ok(refused > 0, `none of ${sent} was refused`);
  assert.ok(longest < 1500, `an answer had ${longest} bytes`);
  await isServed();
});

test('a flood of reports is refused after a while', async () => {
  const body = `${JSON.stringify({ mac: '52:54:00:aa:00:06', boot: '00112233445566aa', uptime: 1, event: 'phase-start', phase: 'network' })}\n`;
  const head = `POST /telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
  const last = `POST /telemetry HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  let taken = 0;
  let refused = 0;
  for (let round = 0; round < 40 && refused === 0; round++) {
    const answers = await rawRequest(server.httpPort, (head + body).repeat(1500) + last + body);
    taken += answers.split('HTTP/1.1 200').length - 1;
    refused += answers.split('HTTP/1.1 429').length - 1;
  }
  assert.ok(taken >= 1024 && refused > 0, `${taken} were taken, ${refused} refused`);
  await isServed();
});

test('one address has so many connections and no more; another has its own', async (t) => {
  const limited = createServer((socket) => socket.on('error', () => {}).resume());
  limitConnections(limited, 10, () => false);
  limited.listen(0);
  await once(limited, 'listening');
  const { port } = limited.address() as { port: number };
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    limited.close();
  });
  const open = (localAddress: string): Socket => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.on('error', () => {}).resume();
    sockets.push(socket);
    return socket;
  };
  const closed = (group: readonly Socket[]): number => group.filter((socket) => socket.destroyed).length;
  const crowd = Array.from({ length: 50 }, () => open('127.0.0.9'));
  const other = open('127.0.0.8');
  await Promise.all([...crowd, other].map((socket) => once(socket, 'connect')));
  for (let wait = 0; closed(crowd) < 40 && wait < 200; wait++) await sleep(50);
  assert.equal(closed(crowd), 40);
  assert.equal(other.destroyed, false);
  for (const socket of crowd) socket.destroy();
  await sleep(100);
  const again = open('127.0.0.9');
  await once(again, 'connect');
  await sleep(100);
  assert.equal(again.destroyed, false, 'who went is not counted any more');
});
