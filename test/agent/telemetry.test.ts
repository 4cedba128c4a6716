import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTelemetry, httpPost, QUEUE_LIMIT, telemetryUrl } from '../../agent/telemetry.ts';
import { parseTelemetry, type TelemetryDraft } from '../../contract/telemetry.ts';
import { fakeMachine } from './fakes.ts';
import { serve } from './http-fixture.ts';

const MAC = '52:54:00:aa:00:01';
const start: TelemetryDraft = { event: 'phase-start', phase: 'network' };
const progress = (bytes: number): TelemetryDraft => ({
  event: 'progress',
  release: 'debian-1',
  bytes,
  total: 1_000_000,
  bytesPerSecond: 1,
  peers: 1,
  downloaded: { peers: 0, seeder: 0, webseed: 0 },
  uploaded: 0,
});

test('events wait for the name of the machine, then go in order with mac, boot and uptime', async (context) => {
  const machine = fakeMachine(context);
  machine.file('/proc/uptime', '12.34 20.00\n');
  const bodies: string[] = [];
  const telemetry = createTelemetry(machine, async (body) => {
    bodies.push(body);
    return '{"neededBy":3}';
  });
  telemetry.send(start);
  await telemetry.flush(100);
  assert.deepEqual(bodies, []);
  telemetry.identify(MAC);
  assert.deepEqual(await telemetry.ask(progress(1)), { neededBy: 3 });
  const { events, rejected } = parseTelemetry(bodies.join(''));
  assert.equal(rejected, 0);
  assert.deepEqual(
    events.map((event) => event.event),
    ['phase-start', 'progress'],
  );
  for (const event of events) {
    assert.deepEqual([event.mac, event.boot, event.uptime], [MAC, 'ab'.repeat(8), 12.34]);
  }
});

test('one POST at a time', async (context) => {
  let under = 0;
  let most = 0;
  const machine = fakeMachine(context);
  const telemetry = createTelemetry(machine, async () => {
    most = Math.max(most, ++under);
    await machine.sleep(50);
    under--;
    return '{"neededBy":0}';
  });
  telemetry.identify(MAC);
  for (let n = 0; n < 20; n++) telemetry.send(progress(n));
  await telemetry.ask(progress(20));
  assert.equal(most, 1);
});

test('a full queue drops the oldest progress and keeps what matters', async (context) => {
  let body = '';
  const machine = fakeMachine(context);
  const telemetry = createTelemetry(machine, async (text) => {
    body += text;
    return '{"neededBy":0}';
  });
  telemetry.send(start);
  for (let n = 0; n < QUEUE_LIMIT + 50; n++) telemetry.send(progress(n));
  telemetry.identify(MAC);
  await telemetry.flush(1000);
  const { events } = parseTelemetry(body);
  assert.equal(events.length, QUEUE_LIMIT);
  assert.equal(events[0]?.event, 'phase-start');
  assert.equal(events[1]?.event === 'progress' && events[1].bytes, 51);
});

test('a server that is dead, silent or talks nonsense costs nothing and throws nothing', async (context) => {
  const posts = [
    async () => Promise.reject(new Error('refused')),
    async () => new Promise<string>(() => {}),
    async () => '<html>',
    async () => '{"neededBy":-1}',
    async () => '{"neededBy":1,"more":true}',
  ];
  for (const post of posts) {
    const machine = fakeMachine(context);
    const telemetry = createTelemetry(machine, post);
    telemetry.identify(MAC);
    telemetry.send(start);
    await telemetry.flush(2000);
    assert.ok(machine.now() <= 2000);
  }
});

test('after a failure it leaves the server alone for a while, and then all that matters arrives', async (context) => {
  const machine = fakeMachine(context);
  let attempts = 0;
  let body = '';
  const telemetry = createTelemetry(machine, async (text) => {
    if (++attempts === 1) throw new Error('refused');
    body += text;
    return '{"neededBy":0}';
  });
  telemetry.identify(MAC);
  telemetry.send(start);
  await machine.sleep(10);
  for (let n = 0; n < 10; n++) telemetry.send(progress(n));
  await machine.sleep(10);
  assert.equal(attempts, 1);
  await machine.sleep(6000);
  telemetry.send(progress(10));
  await telemetry.flush(1000);
  assert.equal(parseTelemetry(body).events[0]?.event, 'phase-start');
});

test('over real HTTP: answered, and refused', async (context) => {
  const server = await serve(context);
  server.reply('/telemetry', '{"neededBy":7}');
  const machine = fakeMachine(context, true);
  const telemetry = createTelemetry(machine, httpPost(telemetryUrl(server.url)));
  telemetry.identify(MAC);
  assert.deepEqual(await telemetry.ask(start), { neededBy: 7 });
  assert.match(server.bodies[0] ?? '', /"event":"phase-start"/);
  await server.close();
  assert.equal(await telemetry.ask(start), undefined);
});

test('the URL stands below the base of the server', () => {
  assert.equal(telemetryUrl('http://10.0.0.1:7080'), 'http://10.0.0.1:7080/telemetry');
  assert.equal(telemetryUrl('http://10.0.0.1/boot'), 'http://10.0.0.1/boot/telemetry');
});
