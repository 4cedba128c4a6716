import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { encodeBencode } from '../../torrent/bencode.ts';
import { parseMetainfo } from '../../torrent/metainfo.ts';
import { withOuterKeys } from '../../torrent/metainfo-outer.ts';
import { makeSample } from './sample-torrent.ts';

const info = { name: 'x', length: 5, 'piece length': 65536, pieces: Buffer.alloc(20) };

suite('metainfo-outer', () => {
  test('new hints around the same info and layers, byte for byte', async () => {
    await using sample = await makeSample();
    const endpoint = fc.record(
      {
        host: fc.oneof(fc.ipV4(), fc.ipV6()),
        port: fc.integer({ min: 1, max: 65535 }),
      },
      { noNullPrototype: true },
    );
    const url = fc.tuple(fc.domain(), fc.nat(9)).map(([host, path]) => `http://${host}/${path}`);
    fc.assert(
      fc.property(
        fc.uniqueArray(url, { maxLength: 4 }),
        fc.uniqueArray(url, { maxLength: 4 }),
        fc.uniqueArray(endpoint, { maxLength: 4, selector: ({ host, port }) => `${host} ${port}` }),
        (announce, urlList, explicitPeers) => {
          const parsed = parseMetainfo(withOuterKeys(sample.metainfo, { announce, urlList, explicitPeers }));
          assert.deepEqual(parsed, { ...sample.metainfo, announce, urlList, explicitPeers });
        },
      ),
      { numRuns: 50 },
    );
  });

  test('without hints, what was made is what comes out', async () => {
    await using sample = await makeSample();
    assert.deepEqual(
      withOuterKeys(sample.metainfo, { announce: [], urlList: [], explicitPeers: [] }),
      sample.torrent,
    );
  });

  test('tiers are flattened, doubles and broken hints dropped, the rest limited', () => {
    const parsed = parseMetainfo(
      encodeBencode({
        info,
        announce: 'http://a/',
        'announce-list': [['http://a/', 'udp://b:1'], ['file:///c', 'not a url', 'wss://d/'], 7, 'http://e/'],
        'url-list': ['http://w/', 'ftp://w/', 'http://user:secret@w/'],
        'x.pe': [...Array.from({ length: 100 }, (_, index) => `10.0.0.1:${index + 1}`), ['deep']],
      }),
    );
    assert.deepEqual(parsed.announce, ['http://a/', 'udp://b:1', 'http://e/']);
    assert.deepEqual(parsed.urlList, ['http://w/']);
    assert.equal(parsed.explicitPeers.length, 64);
  });

  test('hints of the wrong kind do no harm', () => {
    const parsed = parseMetainfo(
      encodeBencode({ info, announce: 5, 'announce-list': {}, 'url-list': 1, 'x.pe': [[[1]]] }),
    );
    assert.deepEqual([parsed.announce, parsed.urlList, parsed.explicitPeers], [[], [], []]);
  });
});
