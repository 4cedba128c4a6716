/** torrent/magnet.ts and endpoint.ts: infohashes of the right length, endpoints that are their own text. */
import assert from 'node:assert/strict';
import { formatEndpoint, parseEndpoint } from '../../../torrent/endpoint.ts';
import { MagnetError, parseMagnet } from '../../../torrent/magnet.ts';
import type { Target } from '../target.ts';

const V1 = 'a'.repeat(40);
const V2 = 'b'.repeat(64);

export const makeTarget = (): Target => ({
  sources: ['torrent/magnet.ts', 'torrent/endpoint.ts', 'torrent/metainfo-outer.ts'],
  seeds: [
    `magnet:?xt=urn:btih:${V1}`,
    `magnet:?xt=urn:btih:${'A2'.repeat(16)}&dn=name`,
    `magnet:?xt=urn:btih:${V1}&xt=urn:btmh:1220${V2}&dn=a%20b&tr=http%3A%2F%2Ft%2Fa&ws=http://w/&x.pe=10.0.0.1:6881`,
    `magnet:?xt.1=urn:btih:${V1}&xt.2=urn:btmh:1220${V2}&tr.1=udp://t:1&x.pe=[::1]:5`,
    '10.0.0.1:6881',
    '[fe80::1%eth0]:6881',
  ].map((text) => Buffer.from(text)),
  dictionary: [
    'magnet:?',
    'xt=urn:btih:',
    '&xt=urn:btmh:1220',
    '&dn=',
    '&tr=',
    '&ws=',
    '&x.pe=',
    '%',
    '%00',
    '[',
    ']:',
    '&xt.9=',
  ],
  run(input) {
    const text = input.toString('latin1');
    const endpoint = parseEndpoint(text);
    if (endpoint) {
      assert.ok(endpoint.port >= 1 && endpoint.port <= 65_535);
      assert.deepEqual(parseEndpoint(formatEndpoint(endpoint)), endpoint);
    }
    try {
      const magnet = parseMagnet(text);
      assert.ok(magnet.infohashV1 || magnet.infohashV2);
      assert.ok((magnet.infohashV1?.length ?? 20) === 20 && (magnet.infohashV2?.length ?? 32) === 32);
      assert.ok(magnet.trackers.length <= 64 && magnet.webseeds.length <= 64 && magnet.peers.length <= 64);
      assert.ok((magnet.name?.length ?? 0) <= 255);
      for (const peer of magnet.peers) assert.deepEqual(parseEndpoint(formatEndpoint(peer)), peer);
      return `accepted ${magnet.peers.length > 0} ${magnet.trackers.length > 0}`;
    } catch (error) {
      if (!(error instanceof MagnetError)) throw error;
      return `refused: ${error.code}, endpoint ${endpoint !== undefined}`;
    }
  },
});
