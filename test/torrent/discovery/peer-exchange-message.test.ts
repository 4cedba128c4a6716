import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeBencode } from '../../../torrent/bencode.ts';
import {
  formatPeerExchange,
  PEER_FLAG,
  parsePeerExchange,
} from '../../../torrent/discovery/peer-exchange-message.ts';

const octet = fc.integer({ min: 1, max: 223 });
const port = fc.integer({ min: 1, max: 65_535 });
const endpoint = fc.oneof(
  fc
    .tuple(octet, octet, octet, octet, port)
    .map(([a, b, c, d, port]) => ({ host: `${a}.${b}.${c}.${d}`, port })),
  fc
    .tuple(fc.integer({ min: 1, max: 0xffff }), port)
    .map(([last, port]) => ({ host: `2001:db8::${last.toString(16)}`, port })),
);

test('whatever we tell is what is heard', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ endpoint, flags: fc.integer({ min: 0, max: 255 }) }, { noNullPrototype: true }), {
        maxLength: 50,
      }),
      fc.array(endpoint, { maxLength: 50 }),
      (added, dropped) => {
        const heard = parsePeerExchange(formatPeerExchange({ added, dropped }));
        assert.ok(typeof heard === 'object');
        const byFamily = <T>(items: readonly T[], host: (item: T) => string): T[] => [
          ...items.filter((item) => !host(item).includes(':')),
          ...items.filter((item) => host(item).includes(':')),
        ];
        assert.deepEqual(
          heard.added,
          byFamily(added, (peer) => peer.endpoint.host),
        );
        assert.deepEqual(
          heard.dropped,
          byFamily(dropped, (peer) => peer.host),
        );
      },
    ),
  );
});

test('missing lists are empty ones, flags of the wrong number mean nothing', () => {
  assert.deepEqual(parsePeerExchange(Buffer.from('de')), { added: [], dropped: [] });
  const added = Buffer.from('0a0000010001', 'hex');
  const heard = parsePeerExchange(encodeBencode({ added, 'added.f': Buffer.from([PEER_FLAG.seed, 1]) }));
  assert.deepEqual(heard, { added: [{ endpoint: { host: '10.0.0.1', port: 1 }, flags: 0 }], dropped: [] });
});

test('everything else is refused by name', () => {
  const cases: [Uint8Array, string][] = [
    [Buffer.from('le'), 'bad-peer-exchange'],
    [Buffer.from('d5:addedi1ee'), 'bad-peer-exchange'],
    [Buffer.from('d5:added5:aaaaae'), 'bad-peer-exchange'],
    [Buffer.from('d7:added.fi0ee'), 'bad-peer-exchange'],
    [Buffer.from('l-3:'), 'bad-peer-exchange'],
    [encodeBencode({ added: Buffer.alloc(6 * 201, 1) }), 'too-many-peers'],
    [encodeBencode({ dropped6: Buffer.alloc(18 * 201, 1) }), 'too-many-peers'],
    [Buffer.alloc(20_000, 0x64), 'too-many-peers'],
  ];
  for (const [bytes, refusal] of cases) assert.equal(parsePeerExchange(bytes), refusal);
});

test('bytes of any kind are refused or read, never thrown at', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parsePeerExchange(bytes);
      parsePeerExchange(Buffer.concat([Buffer.from('d5:added'), bytes]));
    }),
  );
});
