/**
 * What neighbours say of themselves and of each other: announcements on the link (BEP 14) and how they are answered, and
 * peer exchange (BEP 11), which is what begins with a `d`.
 */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { encodeBencode } from '../../../torrent/bencode.ts';
import {
  formatLocalAnnouncement,
  parseLocalAnnouncement,
} from '../../../torrent/discovery/local-announcement.ts';
import { formatPeerExchange, parsePeerExchange } from '../../../torrent/discovery/peer-exchange-message.ts';
import { LocalAnnouncing } from '../../../torrent/policy/local-announcing.ts';
import { PeerExchangePlan } from '../../../torrent/policy/peer-exchange.ts';
import type { Target } from '../target.ts';

const announcement = (...lines: readonly string[]): Buffer =>
  Buffer.from(['BT-SEARCH * HTTP/1.1', 'Host: 239.192.152.143:6771', ...lines, '', ''].join('\r\n'));
const INFOHASH = 'ab'.repeat(20);

function exchange(input: Buffer): string {
  const message = parsePeerExchange(input);
  if (typeof message === 'string') return `exchange refused: ${message}`;
  const { added, dropped } = message;
  assert.ok(added.length <= 400 && dropped.length <= 400);
  for (const { host, port } of [...added.map(({ endpoint }) => endpoint), ...dropped]) {
    assert.ok(isIP(host) > 0, host);
    assert.ok(port > 0 && port < 65_536);
  }
  assert.deepEqual(parsePeerExchange(formatPeerExchange(message)), message);
  const plan = new PeerExchangePlan();
  const remote = { host: '10.0.0.9', port: 1 };
  plan.met(1, { remote, endpoint: remote, kind: 'quick' }, 0);
  assert.ok(plan.admit(1, added.length, 0) <= 200);
  return `exchange ${added.length > 0} ${dropped.length > 0}`;
}

export const makeTarget = (): Target => ({
  sources: ['torrent/discovery/', 'torrent/policy/local-announcing.ts', 'torrent/policy/peer-exchange.ts'],
  seeds: [
    announcement('Port: 6881', `Infohash: ${INFOHASH}`, 'cookie: 1234'),
    announcement('Port: 1', `Infohash: ${INFOHASH}`, `infohash: ${'CD'.repeat(20)}`, 'X-Other: y'),
    announcement('Infohash: 12'),
    formatPeerExchange({
      added: [
        { endpoint: { host: '10.0.0.1', port: 6881 }, flags: 2 },
        { endpoint: { host: 'fe80::1', port: 1 }, flags: 0 },
      ],
      dropped: [{ host: '2001:db8::2', port: 6881 }],
    }),
    encodeBencode({ added: Buffer.alloc(12, 9), 'added.f': Buffer.alloc(1), dropped6: Buffer.alloc(18, 1) }),
  ],
  dictionary: [
    '\r\n',
    'BT-SEARCH * HTTP/1.1\r\n',
    'Port: ',
    'Infohash: ',
    'cookie: ',
    ': ',
    INFOHASH,
    '65536',
    '0',
    '\0',
    '5:added',
    '7:added.f',
    '6:added6',
    '7:dropped',
    '6:\n\0\0\u0001\u001a\u0001',
  ],
  run(input) {
    if (input[0] === 0x64) return exchange(input);
    const parsed = parseLocalAnnouncement(input);
    if (typeof parsed === 'string') return `refused: ${parsed}`;
    assert.ok(parsed.port >= 1 && parsed.port <= 65_535);
    assert.ok(parsed.infohashes.length >= 1 && parsed.infohashes.length <= 24);
    for (const infohash of parsed.infohashes) assert.match(infohash, /^[0-9a-f]{40}$/);
    assert.ok((parsed.cookie?.length ?? 0) <= 200);
    const again = parseLocalAnnouncement(formatLocalAnnouncement(parsed, 'IPv4'));
    assert.ok(typeof again !== 'string');
    assert.deepEqual([again.port, again.infohashes], [parsed.port, parsed.infohashes]);
    // The same from many hosts: bounded in what it makes us do.
    const policy = new LocalAnnouncing({ startedAt: 0, random: () => 0.5 });
    let dialed = 0;
    for (let host = 0; host < 300; host++)
      if (policy.heard(`10.0.${parsed.port & 255}.${host & 255}`, parsed.port, 5, 0) === 'dial') dialed++;
    assert.ok(dialed <= 256);
    return `accepted ${parsed.infohashes.length > 1} ${parsed.cookie !== undefined}`;
  },
});
