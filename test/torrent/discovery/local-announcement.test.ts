import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatLocalAnnouncement,
  LONGEST_ANNOUNCEMENT_BYTES,
  parseLocalAnnouncement,
} from '../../../torrent/discovery/local-announcement.ts';

const INFOHASH = 'aabbccddeeff00112233445566778899aabbccdd';
const datagram = (...lines: string[]): Buffer => Buffer.from([...lines, '', '', ''].join('\r\n'), 'latin1');
const FIRST = 'BT-SEARCH * HTTP/1.1';

test('what we write is what BEP 14 shows', () => {
  const text = formatLocalAnnouncement({ port: 6881, infohashes: [INFOHASH], cookie: 'c0' }, 'IPv4');
  assert.equal(
    text.toString('latin1'),
    `BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: ${INFOHASH}\r\ncookie: c0\r\n\r\n\r\n`,
  );
  const six = formatLocalAnnouncement({ port: 1, infohashes: [INFOHASH], cookie: undefined }, 'IPv6');
  assert.match(six.toString('latin1'), /\r\nHost: \[ff15::efc0:988f\]:6771\r\n/);
});

test('libtorrent and uTorrent are understood: upper case, other order, other headers', () => {
  const heard = parseLocalAnnouncement(
    datagram(FIRST, 'cookie: 1f', `INFOHASH:${INFOHASH.toUpperCase()}`, 'X-Other: y', 'PORT:  51413 '),
  );
  assert.deepEqual(heard, { port: 51_413, infohashes: [INFOHASH], cookie: '1f' });
});

test('everything else is refused by name', () => {
  const port = 'Port: 1';
  const infohash = `Infohash: ${INFOHASH}`;
  const cases: [Buffer, string][] = [
    [Buffer.alloc(0), 'not-an-announcement'],
    [datagram('BT-SEARCH * HTTP/1.0', port, infohash), 'not-an-announcement'],
    [Buffer.alloc(LONGEST_ANNOUNCEMENT_BYTES + 1), 'too-long'],
    [datagram(FIRST, infohash), 'no-port'],
    [datagram(FIRST, port), 'no-infohash'],
    [datagram(FIRST, 'Port: 0', infohash), 'bad-port'],
    [datagram(FIRST, 'Port: 65536', infohash), 'bad-port'],
    [datagram(FIRST, 'Port: 1e3', infohash), 'bad-port'],
    [datagram(FIRST, port, port, infohash), 'bad-port'],
    [datagram(FIRST, port, `${infohash}0`), 'bad-infohash'],
    [datagram(FIRST, port, 'no colon here'), 'bad-header'],
    [datagram(FIRST, port, `${infohash}\n${infohash}`), 'bad-header'],
    [datagram(FIRST, ...Array<string>(70).fill('A: b')), 'too-many-lines'],
    [
      datagram(FIRST, port, ...Array.from({ length: 25 }, (_, n) => `Infohash: ${`${n}`.padStart(40, '0')}`)),
      'too-many-infohashes',
    ],
  ];
  for (const [bytes, refusal] of cases)
    assert.equal(parseLocalAnnouncement(bytes), refusal, bytes.toString());
});

test('whatever we can write, we read back', () => {
  const hex = fc.stringMatching(/^[0-9a-f]{40}$/);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 65_535 }),
      fc.uniqueArray(hex, { minLength: 1, maxLength: 20 }),
      fc.option(fc.stringMatching(/^[0-9a-z]{1,16}$/), { nil: undefined }),
      fc.constantFrom('IPv4' as const, 'IPv6' as const),
      (port, infohashes, cookie, family) => {
        const announcement = { port, infohashes, cookie };
        assert.deepEqual(parseLocalAnnouncement(formatLocalAnnouncement(announcement, family)), announcement);
      },
    ),
  );
});

test('bytes of any kind are refused or read, never thrown at', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, prefixed) => {
      const input = prefixed ? Buffer.concat([Buffer.from(`${FIRST}\r\nPort: 5\r\n`), bytes]) : bytes;
      const heard = parseLocalAnnouncement(input);
      if (typeof heard !== 'string') assert.ok(heard.infohashes.every((hash) => /^[0-9a-f]{40}$/.test(hash)));
    }),
  );
});
