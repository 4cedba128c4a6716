import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TELEMETRY_LIMIT_BYTES } from '../../../contract/telemetry.ts';
import { startServer, statusOf } from '../running-server.ts';
import { rawRequest } from './raw-request.ts';

const { url, server, log } = await startServer();
const event = (fields: object): string =>
  `${JSON.stringify({ mac: '52:54:00:aa:00:06', boot: '00112233445566aa', uptime: 3.5, ...fields })}\n`;
const start = event({ event: 'phase-start', phase: 'network' });
const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/x-ndjson' }) =>
  fetch(`${url}/telemetry`, { method: 'POST', body, headers });

test('events are taken under any content type, or none, and answered with neededBy', async () => {
  for (const type of ['application/x-ndjson', 'application/json', 'text/plain', 'x/y']) {
    const answer = await post(start, { 'content-type': type });
    assert.deepEqual([answer.status, await answer.json()], [200, { neededBy: 0 }], type);
  }
  const bare = await rawRequest(
    server.httpPort,
    `POST /telemetry HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${start.length}\r\n\r\n${start}`,
  );
  assert.match(bare, /^HTTP\/1\.1 200[\s\S]*\{"neededBy":0\}$/);
  const other = await post(event({ mac: '52:54:00:aa:00:07', event: 'phase-start', phase: 'swarm' }));
  assert.deepEqual(await other.json(), { neededBy: 1 });
  const status = await statusOf(url);
  assert.deepEqual(
    status.machines.map(({ mac, phase }) => [mac, phase]),
    [
      ['52:54:00:aa:00:06', 'network'],
      ['52:54:00:aa:00:07', 'swarm'],
    ],
  );
});

test('garbage is refused and changes nothing', async () => {
  const before = (await statusOf(url)).machines;
  for (const body of [
    '',
    'x',
    '{}',
    '[]',
    'null',
    event({ event: 'nope' }),
    event({ event: 'error', code: 'x' }),
    '\0'.repeat(100),
  ])
    assert.equal((await post(body)).status, 400, JSON.stringify(body.slice(0, 40)));
  assert.equal((await post(start.repeat(Math.ceil(TELEMETRY_LIMIT_BYTES / start.length) + 1))).status, 413);
  const chunked = `POST /telemetry HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const endless = `${chunked}${`2000\r\n${'x'.repeat(0x2000)}\r\n`.repeat(20)}0\r\n\r\n`;
  assert.match(await rawRequest(server.httpPort, endless), /^HTTP\/1\.1 413/);
  assert.equal((await fetch(`${url}/healthz`, { method: 'POST', body: 'x'.repeat(10_000) })).status, 413);
  assert.deepEqual((await statusOf(url)).machines, before);
});

test('one good line among bad ones counts', async () => {
  const good = event({
    mac: '52:54:00:aa:00:08',
    event: 'error',
    code: 'no-peer',
    message: 'Nobody is there',
  });
  assert.equal((await post(`rubbish\n${good}\n{"mac":1}\n`)).status, 200);
  const status = await statusOf(url);
  const machine = status.machines.find(({ mac }) => mac === '52:54:00:aa:00:08');
  assert.deepEqual(machine?.errors, [{ code: 'no-peer', message: 'Nobody is there' }]);
  assert.ok(
    log.some(({ msg }) => msg === 'Machine reports error'),
    'the administrator finds it in the log',
  );
});

test('requests that are no HTTP end without harm', async () => {
  for (const request of [
    '\0\0\0\0\r\n\r\n',
    `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(5000)}\r\n`,
    'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'BREW / HTTP/1.1\r\nHost: x\r\n\r\n',
    '\x13BitTorrent protocol',
  ])
    assert.match(await rawRequest(server.httpPort, request), /^(HTTP\/1\.1 4\d\d |$)/);
  assert.equal(await (await fetch(`${url}/healthz`)).text(), 'ok\n');
});
