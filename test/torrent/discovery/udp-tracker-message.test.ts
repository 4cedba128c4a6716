import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  announceDatagram,
  connectDatagram,
  parseUdpAnswer,
} from '../../../torrent/discovery/udp-tracker-message.ts';

test('the datagrams of BEP 15, byte by byte', () => {
  assert.equal(connectDatagram(0x01020304).toString('hex'), '00000417271019800000000001020304');
  const bytes = announceDatagram({
    connectionId: Buffer.from('1122334455667788', 'hex'),
    ...{ transaction: 0xfffffffe, infohash: Buffer.alloc(20, 0xaa), peerId: Buffer.alloc(20, 0xbb) },
    ...{ event: 'started', downloaded: 1, left: 2 ** 40, uploaded: Number.NaN, key: 0xdeadbeef },
    ...{ peersWanted: 50, port: 6881 },
  });
  assert.equal(
    bytes.toString('hex'),
    `112233445566778800000001fffffffe${'aa'.repeat(20)}${'bb'.repeat(20)}` +
      '0000000000000001000001000000000000000000000000000000000200000000deadbeef000000321ae1',
  );
});

test('bytes of any kind are an answer or a refusal, never thrown at', () => {
  const bytes = fc.uint8Array({ maxLength: 120 });
  const action = fc.constantFrom('connect' as const, 'announce' as const);
  const family = fc.constantFrom('IPv4' as const, 'IPv6' as const);
  fc.assert(
    fc.property(bytes, action, family, fc.boolean(), (tail, asked, from, prefixed) => {
      const head = Buffer.from([0, 0, 0, asked === 'connect' ? 0 : 1, 0, 0, 0, 7]);
      const datagram = prefixed ? Buffer.concat([head, tail]) : Buffer.from(tail);
      const answer = parseUdpAnswer(datagram, { transaction: 7, action: asked, family: from });
      if (answer.is === 'announced') assert.ok(answer.peers.every(({ port }) => port > 0));
      if (prefixed && tail.length < 8) assert.equal(answer.is, 'malformed');
    }),
  );
});
