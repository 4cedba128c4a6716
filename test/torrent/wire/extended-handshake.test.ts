import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBencode, encodeBencode } from '../../../torrent/bencode.ts';
import { describeSelf, parseExtendedHandshake } from '../../../torrent/wire/extended-handshake.ts';

test('what we say is what we read', () => {
  const self = describeSelf({ origin: true, listenPort: 6881 }) as Record<string, number>;
  const description = parseExtendedHandshake(
    encodeBencode({ ...self, m: { ut_metadata: 1 }, metadata_size: 77 }),
  );
  assert.equal(description?.origin, true);
  assert.equal(description?.requestQueue, 1024);
  assert.equal(description?.metadataSize, 77);
  assert.equal(description?.metadataId, 1);
  assert.equal(description?.listenPort, 6881);
  assert.equal(description?.longestRequest, 131_072);
  assert.match(description!.client, /^swarmboot/);
  assert.equal(
    parseExtendedHandshake(
      encodeBencode(describeSelf({ origin: false, listenPort: 0 }) as Record<string, number>),
    )?.origin,
    false,
  );
});

test('insane values are as good as absent, and only known keys go on', () => {
  const description = parseExtendedHandshake(
    encodeBencode({
      reqq: -5,
      metadata_size: -1,
      p: 70_000,
      v: 7,
      __proto__x: 1,
      m: { ut_pex: 4, toString: 3 },
    }),
  );
  assert.equal(description?.requestQueue, undefined);
  assert.equal(description?.metadataSize, undefined);
  assert.equal(description?.listenPort, 0);
  assert.equal(description?.client, '');
  assert.equal(description?.longestRequest, 16_384);
  assert.deepEqual([...(decodeBencode(description!.clean) as Map<string, unknown>).keys()], ['m']);
  assert.equal(parseExtendedHandshake(encodeBencode({ reqq: 1e9 }))?.requestQueue, 2048);
  assert.equal(parseExtendedHandshake(encodeBencode({ sb_request: 5 }))?.longestRequest, 16_384);
  assert.equal(parseExtendedHandshake(encodeBencode({ sb_request: 1e9 }))?.longestRequest, 131_072);
});

test('any bytes whatever: an answer, no exception', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseExtendedHandshake(bytes)));
});
