import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeBencode } from '../../../torrent/bencode.ts';
import { MetadataGuard } from '../../../torrent/wire/metadata-guard.ts';

const request = (piece: number): Buffer => encodeBencode({ msg_type: 0, piece });
const data = (piece: number, total: number, length: number): Buffer =>
  Buffer.concat([encodeBencode({ msg_type: 1, piece, total_size: total }), Buffer.alloc(length, 'e')]);

test('requests of pieces that exist pass', () => {
  const guard = new MetadataGuard(20_000);
  assert.equal(guard.judge(request(0)), 'pass');
  assert.equal(guard.judge(request(1)), 'pass');
  assert.equal(guard.judge(request(2)), 'bad-metadata-message');
});

test('data passes once, with its exact length', () => {
  const guard = new MetadataGuard(0);
  assert.equal(guard.judge(data(0, 20_000, 16_384)), 'unrequested-metadata');
  guard.expect(20_000);
  assert.equal(guard.judge(data(0, 20_000, 16_383)), 'bad-metadata-message');
  assert.equal(guard.judge(data(1, 20_000, 16_384)), 'bad-metadata-message');
  assert.equal(guard.judge(data(0, 20_001, 16_384)), 'bad-metadata-message');
  assert.equal(guard.judge(data(0, 20_000, 16_384)), 'pass');
  assert.equal(guard.judge(data(0, 20_000, 16_384)), 'unrequested-metadata');
  assert.equal(guard.judge(data(1, 20_000, 20_000 - 16_384)), 'pass');
});

test('without metadata a peer is told so, but not for ever', () => {
  const guard = new MetadataGuard(0);
  const verdicts = Array.from({ length: 100 }, () => guard.judge(request(0)));
  assert.equal(verdicts[0], 'pass');
  assert.equal(verdicts.at(-1), 'metadata-flood');
});

test('unknown kinds are ignored', () => {
  assert.equal(new MetadataGuard(100).judge(encodeBencode({ msg_type: 9, piece: 0 })), 'ignore');
});

test('any bytes whatever have a verdict', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const guard = new MetadataGuard(100);
      guard.expect(100);
      assert.notEqual(guard.judge(Buffer.from(bytes)), 'pass');
    }),
  );
});
