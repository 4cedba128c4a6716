import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packEndpoint, readCompact } from '../../../torrent/discovery/compact-endpoints.ts';

const packed = (host: string, port = 1): string | undefined =>
  packEndpoint({ host, port })?.bytes.toString('hex');
const read = (hex: string) => {
  const bytes = Buffer.from(hex, 'hex');
  return readCompact(bytes, bytes.length % 18 === 0 ? 'IPv6' : 'IPv4');
};

test('the forms of BEP 23 and BEP 7', () => {
  assert.equal(packed('10.0.0.1', 6881), '0a0000011ae1');
  assert.equal(packed('2001:db8::1', 6881), '20010db80000000000000000000000011ae1');
  assert.equal(packed('::1'), '000000000000000000000000000000010001');
  assert.equal(packed('1:2:3:4:5:6:7:8'), '000100020003000400050006000700080001');
  assert.equal(packed('fe80::a%eth0'), 'fe80000000000000000000000000000a0001');
});

test('what has no compact form', () => {
  for (const host of [
    'boot.example',
    '10.0.0',
    '10.0.0.256',
    '1::2::3',
    '1:2:3:4:5:6:7',
    ':::',
    '1:2:3:4:5:6:7::8:9',
    '::1.2.3.4',
  ])
    assert.equal(packed(host), undefined, host);
  assert.equal(packed('10.0.0.1', 0), undefined);
  assert.equal(packed('10.0.0.1', 65_536), undefined);
});

test('nobody can be dialed at port 0, at groups and at nowhere', () => {
  assert.deepEqual(read('0a0000010000'), [undefined]);
  assert.deepEqual(read('000000000001'), [undefined]);
  assert.deepEqual(read('e0c0988f1a73'), [undefined]);
  assert.deepEqual(read('ffffffff0001'), [undefined]);
  assert.deepEqual(read(`${'00'.repeat(16)}0001`), [undefined]);
  assert.deepEqual(read(`ff15${'00'.repeat(14)}0001`), [undefined]);
  assert.deepEqual(read(`${'00'.repeat(10)}ffff0a0000010001`), [undefined]);
  assert.equal(readCompact(Buffer.alloc(7), 'IPv4'), undefined);
  assert.equal(readCompact(Buffer.alloc(17), 'IPv6'), undefined);
});

test('IPv6 text is as Node writes it (RFC 5952)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 }),
      (groups) => {
        const bytes = Buffer.alloc(18, 1);
        for (const [index, group] of groups.entries()) bytes.writeUInt16BE(group, index * 2);
        const endpoint = readCompact(bytes, 'IPv6')![0];
        // The URL parser writes the same form, for addresses that hold no IPv4 one.
        if (endpoint) assert.equal(`[${endpoint.host}]`, new URL(`http://[${endpoint.host}]/`).hostname);
      },
    ),
  );
});

test('there and back again', () => {
  for (const [size, family] of [
    [6, 'IPv4'],
    [18, 'IPv6'],
  ] as const) {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: size, maxLength: size }), (bytes) => {
        const endpoint = readCompact(Buffer.from(bytes), family)![0];
        if (endpoint) assert.deepEqual(packEndpoint(endpoint), { family, bytes: Buffer.from(bytes) });
      }),
    );
  }
});
