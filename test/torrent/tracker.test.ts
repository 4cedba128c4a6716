import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { encodeBencode } from '../../torrent/bencode.ts';
import { httpTracker, INFOHASH, PEER_ID, udpAnswer, udpTracker, watch } from './tracker-lab.ts';

const compact = Buffer.from([10, 0, 0, 1, 0x1a, 0xe1, 10, 0, 0, 2, 0, 0]); // the second has port 0: no peer
const compact6 = Buffer.concat([
  Buffer.from('fe80000000000000000000000000000a', 'hex'),
  Buffer.from([0x1a, 0xe2]),
]);
const good = (interval = 60) =>
  encodeBencode({ interval, peers: compact, peers6: compact6, 'tracker id': 'abc' });

/** An announce, as the UDP tracker sees it (BEP 15). */
const udpEvents = (messages: readonly Buffer[]) =>
  messages
    .filter((message) => message.length === 98)
    .map((message) => ['', 'completed', 'started', 'stopped'][message.readUInt32BE(80)]);

suite('tracker over HTTP', () => {
  test('started, updates, completed and stopped, with our bytes unharmed and the tracker id given back', async () => {
    const raw: string[] = [];
    await using server = await httpTracker((request, response) => {
      raw.push(request.url ?? '');
      response.end(good());
    });
    const client = watch(server.url, { announceHost: '10.9.9.9' });
    await client.until(() => server.announces.length >= 2);
    client.tracker.complete();
    client.tracker.complete();
    await client.until(() => server.announces.some((announce) => announce.get('event') === 'completed'));
    await client.tracker.stop();
    const events = server.announces.map((announce) => announce.get('event'));
    assert.equal(events[0], 'started');
    assert.equal(events.at(-1), 'stopped');
    assert.equal(events.filter((event) => event === 'completed').length, 1);
    assert.equal(server.announces[1]?.get('trackerid'), 'abc');
    assert.equal(server.announces[0]?.get('ip'), '10.9.9.9');
    assert.deepEqual(
      ['port', 'left', 'uploaded', 'downloaded', 'compact'].map((key) => server.announces[0]?.get(key)),
      ['6881', '1000', '2', '3', '1'],
    );
    const parameter = (key: string) =>
      Buffer.from(unescape(new RegExp(`[?&]${key}=([^&]*)`).exec(raw[0]!)?.[1] ?? ''), 'latin1');
    assert.deepEqual(parameter('info_hash'), INFOHASH);
    assert.deepEqual(parameter('peer_id'), PEER_ID);
    assert.deepEqual(client.peers[0], [
      { host: '10.0.0.1', port: 6881 },
      { host: 'fe80::a', port: 6882 },
    ]);
    assert.equal(client.waits[0], 60_000);
    assert.deepEqual(client.warnings, []);
  });

  test('peers in the long form, v4, v6 and by name', async () => {
    const peers = [
      { ip: '10.0.0.3', port: 1 },
      { ip: 'fe80::b', port: 2 },
      { ip: 'lab.example', port: 3 },
      { ip: 'not a host', port: 4 },
    ];
    await using server = await httpTracker((_, response) =>
      response.end(encodeBencode({ interval: 60, peers })),
    );
    await using client = watch(server.url);
    await client.until(() => client.peers.length > 0);
    assert.deepEqual(client.peers[0], [
      { host: '10.0.0.3', port: 1 },
      { host: 'fe80::b', port: 2 },
      { host: 'lab.example', port: 3 },
    ]);
  });

  test('completed waits for a started that was answered', async () => {
    await using server = await httpTracker((_, response, index) => {
      if (index < 2) response.writeHead(500);
      response.end(good());
    });
    await using client = watch(server.url);
    client.tracker.complete();
    await client.until(() => server.announces.length >= 5);
    assert.deepEqual(
      server.announces.slice(0, 5).map((announce) => announce.get('event')),
      ['started', 'started', 'started', 'completed', null],
    );
    assert.deepEqual(client.waits.slice(0, 3), [1000, 2000, 60_000]);
  });

  test('complete does not wait for the interval', async () => {
    await using server = await httpTracker((_, response) => response.end(good(300)));
    await using client = watch(server.url, { realWaitMs: 60_000 });
    await client.until(() => client.waits.length === 1);
    client.tracker.complete();
    await client.until(() => server.announces.length === 2);
    assert.equal(server.announces[1]?.get('event'), 'completed');
  });

  test('a refusal is repeated in its own words', async () => {
    await using server = await httpTracker((_, response) => {
      response.writeHead(400);
      response.end(encodeBencode({ 'failure reason': 'unknown torrent' }));
    });
    await using client = watch(server.url);
    await client.until(() => client.warnings.length > 0);
    assert.deepEqual(client.warnings[0], {
      code: 'tracker-failure',
      message: 'Tracker refused: "unknown torrent"',
    });
  });

  test('a tracker of another kind is a warning', async () => {
    await using client = watch('wss://127.0.0.1:1/');
    await client.until(() => client.warnings.length > 0);
    assert.equal(client.warnings[0]?.code, 'tracker-unsupported');
  });
});

suite('tracker over UDP', () => {
  test('started, completed and stopped, with peers', async () => {
    await using server = await udpTracker((message) => udpAnswer(message, 120, compact));
    const client = watch(server.url);
    await client.until(() => client.peers.length >= 1);
    client.tracker.complete();
    await client.until(() => udpEvents(server.messages).includes('completed'));
    await client.tracker.stop();
    const events = udpEvents(server.messages);
    assert.deepEqual([events[0], events.at(-1)], ['started', 'stopped']);
    assert.deepEqual(client.peers[0], [{ host: '10.0.0.1', port: 6881 }]);
    assert.equal(client.waits[0], 120_000);
    const announce = server.messages.find((message) => message.length === 98)!;
    assert.deepEqual(announce.subarray(16, 36), INFOHASH);
    assert.deepEqual(announce.subarray(36, 56), PEER_ID);
    assert.equal(announce.readUInt16BE(96), 6881);
  });
});
