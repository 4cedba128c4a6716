import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { MagnetError, parseMagnet } from '../../torrent/magnet.ts';

const v1 = 'aa'.repeat(20);
const v2 = 'bb'.repeat(32);

suite('magnet', () => {
  test('reads a hybrid link with all its hints', () => {
    const magnet = parseMagnet(
      `magnet:?xt=urn:btih:${v1}&xt=urn:btmh:1220${v2}&dn=debian+lab&tr=http%3A%2F%2F10.0.0.1%2Fannounce&tr.1=udp://t:6969` +
        '&ws=http://10.0.0.1/files/&x.pe=10.0.0.2:6881&x.pe=%5Bfe80::1%5D:6882',
    );
    assert.deepEqual(magnet, {
      infohashV1: Buffer.from(v1, 'hex'),
      infohashV2: Buffer.from(v2, 'hex'),
      name: 'debian lab',
      trackers: ['http://10.0.0.1/announce', 'udp://t:6969'],
      webseeds: ['http://10.0.0.1/files/'],
      peers: [
        { host: '10.0.0.2', port: 6881 },
        { host: 'fe80::1', port: 6882 },
      ],
    });
  });

  test('base32 and hex are the same infohash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
        let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
        let base32 = '';
        for (; bits; bits = bits.slice(5))
          base32 += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(bits.slice(0, 5), 2)];
        assert.deepEqual(parseMagnet(`magnet:?xt=urn:btih:${base32}`).infohashV1, Buffer.from(bytes));
        assert.deepEqual(
          parseMagnet(`magnet:?xt=urn:btih:${Buffer.from(bytes).toString('hex')}`).infohashV1,
          Buffer.from(bytes),
        );
      }),
    );
  });

  test('broken hints are dropped, and there is a limit to them', () => {
    const many = Array.from({ length: 300 }, (_, index) => `&x.pe=10.0.0.1:${index + 1}`).join('');
    const magnet = parseMagnet(
      `magnet:?xt=urn:btih:${v1}&tr=file:///etc/passwd&ws=javascript:1&ws=http://u:p@x/&x.pe=nope${many}`,
    );
    assert.deepEqual(magnet.trackers, []);
    assert.deepEqual(magnet.webseeds, []);
    assert.equal(magnet.peers.length, 63); // 64 candidates, "nope" among them
  });

  const refused = [
    ['http://x', 'malformed'],
    ['magnet:', 'malformed'],
    ['magnet:?dn=x', 'no-infohash'],
    [`magnet:?xt=urn:btih:${v1}0`, 'no-infohash'],
    [`magnet:?xt=urn:btmh:1114${v2}`, 'no-infohash'],
    [`magnet:?xt=urn:btih:${v1}&xt=urn:btih:${'cc'.repeat(20)}`, 'conflict'],
    [`magnet:?xt=urn:btih:${v1}&${'a&'.repeat(600)}`, 'malformed'],
    [`magnet:?xt=urn:btih:${v1}&dn=${'a'.repeat(70_000)}`, 'malformed'],
  ] as const;
  for (const [uri, code] of refused) {
    test(`refuses ${uri.slice(0, 40)}… (${uri.length} characters) as ${code}`, () => {
      assert.throws(
        () => parseMagnet(uri),
        (error) => error instanceof MagnetError && error.code === code,
      );
    });
  }

  test('any text is a magnet or a MagnetError', () => {
    fc.assert(
      fc.property(fc.string(), fc.webQueryParameters(), (text, query) => {
        for (const uri of [text, `magnet:?${text}`, `magnet:?xt=urn:btih:${v1}&${query}`]) {
          try {
            parseMagnet(uri);
          } catch (error) {
            if (!(error instanceof MagnetError)) throw error;
          }
        }
      }),
    );
  });
});
