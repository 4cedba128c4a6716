/** Reads for uploads: right pieces pass, wrong ones are withdrawn once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pieceLengthOf } from '../../../torrent/metainfo-model.ts';
import { Bitset } from '../../../torrent/policy/bitset.ts';
import { checkedReads } from '../../../torrent/swarm/checked-reads.ts';
import { makeContent, seedStore } from '../swarm-fixtures.ts';

test('a piece with one flipped bit, and one that cannot be read, are withdrawn; the others pass', async () => {
  const content = await makeContent(3 * 65_536 + 777);
  const { metainfo, bytes } = content;
  bytes[2 * 65_536 + 5]! ^= 1;
  const memory = seedStore(content);
  const store = {
    read: async (offset: number, target: Uint8Array) => {
      if (offset === 3 * 65_536) throw new Error('EIO');
      await memory.read(offset, target);
    },
  };
  const offered = Bitset.full(metainfo.pieceCount);
  const told: [number, string][] = [];
  const read = checkedReads({ metainfo, store, offered, withdrawn: (...what) => told.push(what) });
  for (let round = 0; round < 2; round++) {
    for (let piece = 0; piece < metainfo.pieceCount; piece++) {
      const target = Buffer.alloc(pieceLengthOf(metainfo, piece));
      if (piece === 2) await assert.rejects(read(piece, target), /Piece 2 does not have the bytes/);
      else if (piece === 3) await assert.rejects(read(piece, target), /EIO/);
      else {
        await read(piece, target);
        assert.ok(target.equals(bytes.subarray(piece * 65_536, piece * 65_536 + target.length)));
      }
    }
  }
  assert.deepEqual(told, [
    [2, 'Piece 2 does not have the bytes that were signed'],
    [3, 'EIO'],
  ]);
  assert.deepEqual([...offered], [0, 1, 4, 5].slice(0, metainfo.pieceCount - 2));
});
