/** torrent/wire/extended-handshake.ts: sane numbers only, and what is handed on is canonical bencode of known keys. */
import assert from 'node:assert/strict';
import { decodeBencode, encodeBencode } from '../../../torrent/bencode.ts';
import { describeSelf, parseExtendedHandshake } from '../../../torrent/wire/extended-handshake.ts';
import type { Target } from '../target.ts';

export const makeTarget = (): Target => ({
  sources: ['torrent/wire/extended-handshake.ts', 'torrent/bencode.ts'],
  seeds: [
    encodeBencode({
      ...describeSelf({ origin: true, listenPort: 6881 }),
      m: { ut_metadata: 1 },
      metadata_size: 9,
    } as never),
    encodeBencode({
      m: { ut_metadata: 3, ut_pex: 1 },
      v: 'libtorrent/2.0',
      reqq: 500,
      p: 6881,
      yourip: Buffer.alloc(4),
    }),
    Buffer.from('de'),
  ],
  dictionary: [
    ...[
      '1:md',
      '11:ut_metadatai1e',
      '13:metadata_sizei',
      '4:reqqi',
      '1:pi',
      '1:v',
      '9:sb_origini1e',
      '10:sb_requesti',
      'e',
    ],
    '8:toStringi1e',
  ],
  run(input) {
    const description = parseExtendedHandshake(input);
    if (!description) return 'refused';
    const { clean, ...numbers } = description;
    assert.ok(numbers.listenPort >= 0 && numbers.listenPort <= 65_535);
    assert.ok(numbers.longestRequest >= 16_384 && numbers.longestRequest <= 131_072);
    assert.ok(
      numbers.requestQueue === undefined || (numbers.requestQueue >= 1 && numbers.requestQueue <= 2048),
    );
    assert.ok(numbers.metadataId >= 0 && numbers.metadataId <= 255);
    assert.ok(numbers.client.length <= 64);
    const inner = decodeBencode(clean);
    assert.ok(inner instanceof Map);
    for (const key of inner.keys()) assert.ok(key === 'm' || key === 'metadata_size', key);
    return `accepted ${numbers.origin} ${numbers.metadataId > 0} ${numbers.metadataSize !== undefined}`;
  },
});
