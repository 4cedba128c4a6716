/**
 * Datagrams of a UDP tracker (BEP 15). The first byte of the input says what was asked, the rest is the answer, with the
 * right transaction id unless the first byte is large.
 */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { parseUdpAnswer } from '../../../torrent/discovery/udp-tracker-message.ts';
import type { Target } from '../target.ts';

const TRANSACTION = 0x01020304;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

export const makeTarget = (): Target => ({
  sources: ['torrent/discovery/udp-tracker-message.ts', 'torrent/discovery/compact-endpoints.ts'],
  seeds: [
    hex('00 00000000 00000000 0102030405060708'),
    hex('01 00000001 00000000 0000000f 00000001 00000002 0a000001 1ae1 0a000002 1ae2'),
    hex('03 00000001 00000000 0000000f 00000001 00000002 20010db8000000000000000000000001 1ae1'),
    hex('01 00000003 00000000 6e6f'),
    hex('01 00000002 00000000 00000001 00000002 00000003'),
  ],
  dictionary: [
    hex('00000001'),
    hex('00000003'),
    hex('0a0000011ae1'),
    hex('ffffffff'),
    hex(`${'00'.repeat(10)}ffff`),
  ],
  run(input) {
    const kind = input[0] ?? 0;
    const datagram = Buffer.from(input.subarray(1));
    if (kind < 200 && datagram.length >= 8) datagram.writeUInt32BE(TRANSACTION, 4);
    const asked = {
      transaction: TRANSACTION,
      action: kind & 1 ? ('announce' as const) : ('connect' as const),
      family: kind & 2 ? ('IPv6' as const) : ('IPv4' as const),
    };
    const answer = parseUdpAnswer(datagram, asked);
    if (answer.is === 'connected') assert.equal(answer.connectionId.length, 8);
    if (answer.is !== 'announced')
      return `${answer.is} ${'reason' in answer && answer.is === 'malformed' ? answer.reason.replace(/\d+/g, 'n') : ''}`;
    assert.ok(answer.peers.length <= 200 && answer.intervalSeconds >= 0);
    for (const { host, port } of answer.peers) {
      assert.equal(isIP(host), asked.family === 'IPv6' ? 6 : 4);
      assert.ok(port > 0 && port < 65_536);
    }
    return `announced ${asked.family} ${answer.peers.length > 0}`;
  },
});
