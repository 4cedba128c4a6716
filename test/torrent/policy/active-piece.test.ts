import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ActivePiece } from '../../../torrent/policy/active-piece.ts';

test('whatever happens, a block is free, asked for or here, and `free` counts', () => {
  const step = fc.record({ what: fc.constantFrom('reserve', 'share', 'giveBack', 'put'), block: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const piece = new ActivePiece(0, 9 * 16_384 + 100, false, 0);
      const asked = new Map<number, number>();
      const here = new Set<number>();
      for (const { what, block } of steps) {
        if (what === 'reserve') {
          const reserved = piece.reserve(0);
          if (reserved >= 0) {
            assert.ok(!asked.has(reserved) && !here.has(reserved), 'a reserved block was free');
            asked.set(reserved, 1);
          } else assert.equal(asked.size + here.size, 10, 'nothing is free');
        } else if (what === 'share' && asked.has(block)) {
          piece.share(block, 0);
          asked.set(block, asked.get(block)! + 1);
        } else if (what === 'giveBack' && asked.has(block)) {
          piece.giveBack(block);
          if (asked.get(block) === 1) asked.delete(block);
          else asked.set(block, asked.get(block)! - 1);
        } else if (what === 'put' && !here.has(block)) {
          const complete = piece.put(block, Buffer.alloc(piece.blockLength(block)), 1);
          for (let left = (asked.get(block) ?? 1) - 1; left > 0; left--) piece.giveBack(block);
          asked.delete(block);
          here.add(block);
          assert.equal(complete, here.size === 10);
        }
        assert.equal(piece.free, 10 - asked.size - here.size);
      }
    }),
  );
});

test('the last block is shorter', () => {
  const piece = new ActivePiece(0, 16_384 + 5, false, 0);
  assert.equal(piece.blocks, 2);
  assert.equal(piece.blockLength(1), 5);
});
