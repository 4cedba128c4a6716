/**
 * Everything that ends the process, or worse, with bittorrent-tracker's client as it comes. An uncaught exception or
 * unhandled rejection fails these tests by itself; each also sees that its fault was reached and that we try again.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { encodeBencode } from '../../torrent/bencode.ts';
import { httpTracker, rawTracker, udpAnswer, udpTracker, type Watched, watch } from './tracker-lab.ts';

/** Three failures in a row: alive, warned, backing off. */
async function survives(client: Watched, code: string, message: RegExp): Promise<void> {
  await client.until(() => client.warnings.length >= 3);
  for (const warning of client.warnings.slice(0, 3)) {
    assert.equal(warning.code, code, warning.message);
    assert.match(warning.message, message);
  }
  assert.deepEqual(client.waits.slice(0, 3), [1000, 2000, 4000]);
  assert.deepEqual(client.peers, []);
}

suite('hostile tracker over HTTP', () => {
  test('refuses the connection', async () => {
    const server = await httpTracker(() => undefined);
    await server[Symbol.asyncDispose]();
    await using client = watch(server.url);
    await survives(client, 'tracker-unreachable', /ECONNREFUSED/);
  });

  test('closes in the middle of the body', async () => {
    await using server = await rawTracker((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nd8:interval');
      setTimeout(() => socket.destroy(), 5);
    });
    await using client = watch(server.url);
    await survives(client, 'tracker-unreachable', /half-way|ECONNRESET/);
    assert.ok(server.announces.length >= 3);
  });

  test('resets the connection in the middle of the head', async () => {
    await using server = await rawTracker((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-');
      setTimeout(() => socket.resetAndDestroy(), 5);
    });
    await using client = watch(server.url);
    await survives(client, 'tracker-unreachable', /ECONNRESET/);
  });

  test('talks something else', async () => {
    await using server = await rawTracker((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    await using client = watch(server.url);
    await survives(client, 'tracker-unreachable', /HPE_/);
  });

  test('sends a body without end: cut at the limit, not stored', async () => {
    let sent = 0;
    await using server = await rawTracker((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const chunk = Buffer.alloc(65_536, 0x61);
      const pump = () => {
        while (!socket.destroyed && sent < 400e6) {
          sent += chunk.length;
          if (!socket.write(chunk)) return void socket.once('drain', pump);
        }
      };
      pump();
    });
    await using client = watch(server.url);
    await survives(client, 'tracker-malformed', /longer than 262144 bytes/);
    assert.ok(sent > 262_144 && sent < 100e6, `${sent} bytes left the tracker`);
  });

  for (const [what, body] of [
    ['bencode that fills all memory elsewhere', 'l-3:'],
    ['the same inside of a dictionary', 'd5:peersl-3:ee'],
    ['nothing', ''],
    ['HTML', '<html><body>404</body></html>'],
    ['a list', 'le'],
    ['half a peer', 'd8:intervali60e5:peers7:aaaaaaae'],
  ] as const) {
    test(`answers with ${what}`, async () => {
      await using server = await httpTracker((_, response) => response.end(body));
      await using client = watch(server.url);
      await survives(client, 'tracker-malformed', /Tracker/);
    });
  }

  test('asks for an interval of 300 years or of nothing: clamped, not 723 announces a second', async () => {
    const intervals = [9_999_999_999, 0, -5, 1, 2 ** 53 - 1];
    await using server = await httpTracker((_, response, index) => {
      response.end(encodeBencode({ interval: intervals[index] ?? 60, peers: '' }));
    });
    await using client = watch(server.url);
    await client.until(() => client.waits.length >= 5);
    assert.deepEqual(client.waits.slice(0, 5), [300_000, 120_000, 120_000, 5_000, 300_000]);
  });

  test('sends thousands of peers: 200 are taken', async () => {
    const peers = Buffer.alloc(6 * 5000);
    for (let peer = 0; peer < 5000; peer++) {
      peers.writeUInt32BE(0x0a000000 + peer, peer * 6);
      peers.writeUInt16BE(6881, peer * 6 + 4);
    }
    await using server = await httpTracker((_, response) =>
      response.end(encodeBencode({ interval: 60, peers })),
    );
    await using client = watch(server.url);
    await client.until(() => client.peers.length > 0);
    assert.equal(client.peers[0]?.length, 200);
  });

  test('sends us round in circles', async () => {
    await using server = await httpTracker((request, response) => {
      response.writeHead(302, { location: request.url });
      response.end();
    });
    await using client = watch(server.url);
    await survives(client, 'tracker-unreachable', /redirections/);
    assert.ok(server.announces.length >= 12);
  });

  test('never answers: stopping is quick all the same, and nothing of it comes later', async () => {
    await using server = await httpTracker(() => undefined);
    const client = watch(server.url);
    await client.until(() => server.announces.length === 1);
    const before = Date.now();
    await client.tracker.stop();
    assert.ok(Date.now() - before < 4_000, 'bounded'); // 2 s and a busy machine
    assert.deepEqual(client.warnings, []);
  });
});

suite('hostile tracker over UDP', () => {
  const peers = Buffer.from([10, 0, 0, 1, 0x1a, 0xe1]);
  const broken: readonly (readonly [string, (message: Buffer) => Buffer, RegExp, string?])[] = [
    ['an empty datagram', () => Buffer.alloc(0), /transaction/],
    ['a wrong transaction', () => Buffer.alloc(16, 9), /transaction/],
    ['a cut handshake', (message) => udpAnswer(message, 60, peers).subarray(0, 9), /handshake/],
    [
      'a cut announce',
      (message) => udpAnswer(message, 60, peers).subarray(0, message.readUInt32BE(8) === 0 ? 16 : 12),
      /announce message/,
    ],
    [
      'half a peer',
      (message) => udpAnswer(message, 60, message.readUInt32BE(8) === 0 ? peers : Buffer.alloc(7)),
      /multiple/,
    ],
    [
      'an unknown action',
      (message) => {
        const answer = udpAnswer(message, 60, peers);
        answer.writeUInt32BE(77, 0);
        return answer;
      },
      /action/,
    ],
    [
      'an error with control characters',
      (message) =>
        Buffer.concat([Buffer.from([0, 0, 0, 3]), message.subarray(12, 16), Buffer.from('no\x1b[2J')]),
      /no\?\[2J/,
      'tracker-failure',
    ],
  ];
  for (const [what, answer, message, code = 'tracker-malformed'] of broken) {
    test(`sends ${what}`, async () => {
      await using server = await udpTracker(answer);
      await using client = watch(server.url);
      await survives(client, code, message);
      assert.ok(server.messages.length >= 3);
    });
  }

  test('asks for an interval of 136 years', async () => {
    await using server = await udpTracker((message) => udpAnswer(message, 0xffffffff, peers));
    await using client = watch(server.url);
    await client.until(() => client.waits.length >= 2);
    assert.equal(client.waits[0], 300_000);
  });

  test('cannot be found by name', async () => {
    await using client = watch('udp://no-such-host.invalid:6969');
    await client.until(() => client.warnings.length >= 1);
    assert.equal(client.warnings[0]?.code, 'tracker-unreachable');
  });

  test('loses the first datagram: the retry gets through', async () => {
    let lost = 0;
    await using server = await udpTracker((message, index) => {
      if (index === 0) lost++;
      return index === 0 ? undefined : udpAnswer(message, 60, peers);
    });
    await using client = watch(server.url);
    await client.until(() => client.peers.length > 0);
    assert.equal(lost, 1);
    assert.equal(client.warnings.length, 1);
  });
});
