import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeDiscover, parseOffer } from '../../../server/setup/dhcp-discover.ts';

/** The least of an offer that parseOffer needs. */
function offer(xid: number, address: number[], options: number[]): Buffer {
  const packet = Buffer.alloc(240 + options.length);
  packet[0] = 2;
  packet.writeUInt32BE(xid, 4);
  packet.set(address, 16);
  packet.writeUInt32BE(0x63825363, 236);
  packet.set(options, 240);
  return packet;
}
const FROM = [53, 1, 2, 54, 4, 10, 0, 0, 1, 255];

test('a discover is a BOOTP request with our transaction and asks for a broadcast answer', () => {
  const packet = makeDiscover('52:54:00:aa:00:06', 0xdeadbeef);
  assert.equal(packet.length, 300);
  assert.equal(packet.toString('hex', 0, 12), '01010600deadbeef00008000');
  assert.equal(packet.toString('hex', 28, 34), '525400aa0006');
  assert.equal(packet.toString('hex', 236, 244), '63825363350101ff');
});

test('an offer tells the server and the address, a ProxyDHCP server gives none', () => {
  assert.deepEqual(parseOffer(offer(7, [10, 0, 0, 99], FROM), 7), {
    server: '10.0.0.1',
    address: '10.0.0.99',
  });
  assert.deepEqual(parseOffer(offer(7, [0, 0, 0, 0], [0, 0, ...FROM]), 7), {
    server: '10.0.0.1',
    address: undefined,
  });
});

test('answers to others, other messages and damaged ones are none', () => {
  assert.equal(parseOffer(offer(8, [10, 0, 0, 99], FROM), 7), undefined);
  assert.equal(parseOffer(offer(7, [10, 0, 0, 99], [53, 1, 5, 54, 4, 10, 0, 0, 1, 255]), 7), undefined);
  assert.equal(parseOffer(offer(7, [10, 0, 0, 99], [53, 1, 2, 255]), 7), undefined);
  assert.equal(parseOffer(offer(7, [10, 0, 0, 99], [53, 1, 2, 54, 200, 1]), 7), undefined);
  assert.equal(parseOffer(makeDiscover('52:54:00:aa:00:06', 7), 7), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      parseOffer(Buffer.from(bytes), 7);
      parseOffer(Buffer.concat([offer(7, [1, 2, 3, 4], []), bytes]), 7);
    }),
  );
});
