import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { metainfoFromInfo } from '../../torrent/metainfo.ts';
import { type Metainfo, pieceLengthOf } from '../../torrent/metainfo-model.ts';
import { checkPiece } from '../../torrent/piece-check.ts';
import { makeSample, PIECE } from './sample-torrent.ts';

const pieceOf = (metainfo: Metainfo, space: Buffer, piece: number) =>
  Buffer.from(space.subarray(piece * PIECE, piece * PIECE + pieceLengthOf(metainfo, piece)));

suite('piece-check', () => {
  test('every piece of every kind of file is ok, by all hashes, the strongest, v1 alone and v2 alone', async () => {
    await using sample = await makeSample();
    const v1 = metainfoFromInfo(sample.metainfo.infoBytes);
    for (let piece = 0; piece < sample.metainfo.pieceCount; piece++) {
      const bytes = pieceOf(sample.metainfo, sample.space, piece);
      assert.equal(checkPiece(sample.metainfo, piece, bytes), 'ok');
      assert.equal(checkPiece(sample.metainfo, piece, bytes, { hashes: 'strongest' }), 'ok');
      assert.equal(checkPiece(v1, piece, bytes), 'ok');
      const v2: Metainfo = { ...sample.metainfo, infohashV1: undefined, pieces: undefined };
      assert.equal(checkPiece(v2, piece, bytes.subarray(0, pieceLengthOf(v2, piece))), 'ok');
    }
  });

  test('one bit anywhere, pads included, makes it bad, whichever hashes are looked at', async () => {
    await using sample = await makeSample();
    const { metainfo, space } = sample;
    fc.assert(
      fc.property(fc.nat(metainfo.totalLength - 1), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const piece = Math.floor(at / PIECE);
        const bytes = pieceOf(metainfo, space, piece);
        bytes[at % PIECE]! ^= 1 << bit;
        for (const hashes of ['all', 'strongest'] as const)
          assert.equal(checkPiece(metainfo, piece, bytes, { hashes }), 'bad');
      }),
      { numRuns: 200 },
    );
  });

  test('each of the two hashes is really looked at', async () => {
    await using sample = await makeSample();
    const { metainfo, space } = sample;
    const piece = metainfo.pieceCount - 1;
    const bytes = pieceOf(metainfo, space, piece);
    const otherSha1: Metainfo = { ...metainfo, pieces: Buffer.alloc(metainfo.pieces!.length) };
    const otherLayers: Metainfo = {
      ...metainfo,
      pieceLayers: new Map(
        [...metainfo.pieceLayers].map(([root, layer]) => [root, Buffer.alloc(layer.length)]),
      ),
    };
    assert.equal(checkPiece(otherSha1, piece, bytes), 'bad');
    assert.equal(checkPiece(otherSha1, piece, bytes, { hashes: 'strongest' }), 'ok');
    assert.equal(checkPiece(otherLayers, piece, bytes), 'bad');
  });

  test('wrong lengths are bad; wrong indexes are a RangeError; no hash at all is bad', async () => {
    await using sample = await makeSample();
    const { metainfo, space } = sample;
    const bytes = pieceOf(metainfo, space, 0);
    assert.equal(checkPiece(metainfo, 0, bytes.subarray(1)), 'bad');
    assert.equal(checkPiece(metainfo, 0, Buffer.concat([bytes, Buffer.alloc(1)])), 'bad');
    for (const piece of [-1, 0.5, metainfo.pieceCount, Number.NaN]) {
      assert.throws(() => checkPiece(metainfo, piece, bytes), RangeError);
    }
    const last = metainfo.pieceCount - 1;
    const none: Metainfo = { ...metainfo, pieces: undefined, pieceLayers: new Map() };
    assert.equal(checkPiece(none, last, pieceOf(metainfo, space, last)), 'bad');
  });
});
