import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAnnounce, parseScrape } from '../../../server/tracker/http-query.ts';

const escapeAll = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const twenty = fc.uint8Array({ minLength: 20, maxLength: 20 });

test('any infohash and peer id come through byte for byte', () => {
  fc.assert(
    fc.property(twenty, twenty, fc.integer({ min: 1, max: 65535 }), (infohash, peerId, port) => {
      const query = `info_hash=${escapeAll(infohash)}&peer_id=${escapeAll(peerId)}&port=${port}&left=5&compact=0&event=started`;
      const parsed = parseAnnounce(query);
      assert.ok('url' in parsed);
      const upper = (bytes: Uint8Array) => escapeAll(bytes).toUpperCase();
      assert.equal(
        parsed.url,
        `/announce?info_hash=${upper(infohash)}&peer_id=${upper(peerId)}&port=${port}&left=1&numwant=50&compact=1&event=started`,
      );
      assert.deepEqual(parseScrape(`info_hash=${escapeAll(infohash)}`), {
        infohashes: [Buffer.from(infohash).toString('hex')],
      });
    }),
  );
});

test('what is written anew holds known parameters only, once each', () => {
  const good = `info_hash=${'%41'.repeat(20)}&peer_id=${'b'.repeat(20)}&port=6881`;
  const extra = fc.constantFrom(
    '&compact=2',
    '&event=__proto__',
    '&event=started&event=stopped',
    '&left=NaN',
    '&left=-1',
  );
  const more = fc.constantFrom(
    '&numwant=1e9',
    '&numwant=-5',
    '&x=%00',
    '&toString=1',
    '&ip=1.2.3.4',
    '&left=0&left=1',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(extra, more), { maxLength: 4 }), (parts) => {
      const parsed = parseAnnounce(good + parts.join(''));
      assert.ok('url' in parsed);
      assert.match(
        parsed.url,
        /^\/announce\?info_hash=(%[0-9A-F]{2}){20}&peer_id=(%[0-9A-F]{2}){20}&port=6881&left=[01]&numwant=\d{1,2}&compact=1(&event=(started|stopped|completed))?$/,
      );
    }),
  );
});

test('the wrong is refused with a reason', () => {
  const id = 'b'.repeat(20);
  for (const query of [
    '',
    `info_hash=short&peer_id=${id}&port=1`,
    `info_hash=${id}&info_hash=${id}&peer_id=${id}&port=1`,
    `info_hash=${id}&peer_id=${id}&port=0`,
    `info_hash=${id}&peer_id=${id}&port=65536`,
    `info_hash=%zz${id}&peer_id=${id}&port=1`,
    `${'a=b&'.repeat(200)}info_hash=${id}&peer_id=${id}&port=1`,
    `x=${'y'.repeat(9000)}`,
  ]) {
    assert.ok('refused' in parseAnnounce(query), query.slice(0, 60));
  }
  assert.ok('refused' in parseScrape(''));
  assert.ok('refused' in parseScrape(`info_hash=${id}&`.repeat(65)));
  fc.assert(fc.property(fc.string(), (query) => void [parseAnnounce(query), parseScrape(query)]));
});
