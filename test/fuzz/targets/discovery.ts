/** What neighbours say of themselves: announcements on the link (BEP 14), and how they are answered. */
import assert from 'node:assert/strict';
import {
  formatLocalAnnouncement,
  parseLocalAnnouncement,
} from '../../../torrent/discovery/local-announcement.ts';
import { LocalAnnouncing } from '../../../torrent/policy/local-announcing.ts';
import type { Target } from '../target.ts';

const announcement = (...lines: readonly string[]): Buffer =>
  Buffer.from(['BT-SEARCH * HTTP/1.1', 'Host: 239.192.152.143:6771', ...lines, '', ''].join('\r\n'));
const INFOHASH = 'ab'.repeat(20);

export const makeTarget = (): Target => ({
  sources: ['torrent/discovery/', 'torrent/policy/local-announcing.ts'],
  seeds: [
    announcement('Port: 6881', `Infohash: ${INFOHASH}`, 'cookie: 1234'),
    announcement('Port: 1', `Infohash: ${INFOHASH}`, `infohash: ${'CD'.repeat(20)}`, 'X-Other: y'),
    announcement('Infohash: 12'),
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
  ],
  run(input) {
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
