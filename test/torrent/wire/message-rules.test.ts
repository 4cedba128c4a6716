import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { refuseContent, refuseLength } from '../../../torrent/wire/message-rules.ts';

test('no length of more than 128 KiB and a header passes, for any id', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.integer({ min: 131_082, max: 0xffff_ffff }), (id, length) => {
      assert.ok(refuseLength(id, length, undefined) !== undefined || id === 5);
      assert.ok(refuseLength(id, length, 1000) !== undefined);
    }),
  );
});

test('exact lengths', () => {
  for (const [id, length] of [
    [0, 1],
    [4, 5],
    [6, 13],
    [8, 13],
    [9, 3],
    [13, 5],
    [14, 1],
    [16, 13],
    [17, 5],
  ] as const) {
    assert.equal(refuseLength(id, length, 100), undefined);
    assert.equal(refuseLength(id, length + 1, 100), 'bad-length');
    assert.equal(refuseLength(id, length - 1, 100), 'bad-length');
  }
  assert.equal(refuseLength(5, 14, 100), undefined);
  assert.equal(refuseLength(5, 14, 105), 'bad-length');
});

test('requests stay inside their piece', () => {
  const shape = { pieceCount: 3, lengthOf: (piece: number) => (piece === 2 ? 100 : 65_536) };
  fc.assert(
    fc.property(
      fc.nat(5),
      fc.nat(70_000),
      fc.nat(140_000),
      fc.constantFrom(6, 8, 16),
      (piece, begin, length, id) => {
        const message = Buffer.alloc(13);
        message[0] = id;
        message.writeUInt32BE(piece, 1);
        message.writeUInt32BE(begin, 5);
        message.writeUInt32BE(length, 9);
        const fine = piece < 3 && length > 0 && length <= 131_072 && begin + length <= shape.lengthOf(piece);
        assert.equal(refuseContent(message, shape) === undefined, fine);
      },
    ),
  );
});
