import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Bitset } from '../../../torrent/policy/bitset.ts';

const sizes = fc.integer({ min: 1, max: 300 });

test('add, has, count and iteration agree with a Set', () => {
  fc.assert(
    fc.property(sizes, fc.array(fc.nat(400)), (size, indexes) => {
      const bits = new Bitset(size);
      const model = new Set<number>();
      for (const index of indexes) {
        const isNew = index < size && !model.has(index);
        assert.equal(bits.add(index), isNew);
        if (isNew) model.add(index);
      }
      assert.equal(bits.count, model.size);
      assert.deepEqual(
        [...bits],
        [...model].sort((a, b) => a - b),
      );
      assert.equal(bits.isFull, model.size === size);
    }),
  );
});

test('a bitfield survives the way out and in', () => {
  fc.assert(
    fc.property(sizes, fc.array(fc.nat(299)), (size, indexes) => {
      const bits = new Bitset(size);
      for (const index of indexes) bits.add(index);
      const again = Bitset.fromBitfield(size, bits.bytes);
      assert.deepEqual([...again!], [...bits]);
      assert.equal(again!.count, bits.count);
    }),
  );
});

test('piece 0 is the highest bit', () => {
  const bits = new Bitset(10);
  bits.add(0);
  bits.add(9);
  assert.deepEqual([...bits.bytes], [0x80, 0x40]);
});

test('wrong lengths and spare bits are refused', () => {
  assert.equal(Bitset.fromBitfield(10, Buffer.from([0xff])), undefined);
  assert.equal(Bitset.fromBitfield(10, Buffer.from([0xff, 0xc0, 0])), undefined);
  assert.equal(Bitset.fromBitfield(10, Buffer.from([0xff, 0xe0])), undefined);
  assert.ok(Bitset.fromBitfield(10, Buffer.from([0xff, 0xc0]))!.isFull);
});

test('full means full, without spare bits', () => {
  fc.assert(
    fc.property(sizes, (size) => {
      const bits = Bitset.full(size);
      assert.ok(bits.isFull);
      assert.ok(Bitset.fromBitfield(size, bits.bytes)?.isFull);
    }),
  );
});

test('what is deleted is gone and no longer counted', () => {
  const bits = Bitset.full(11);
  assert.ok(bits.delete(10));
  assert.ok(!bits.delete(10));
  assert.ok(!bits.delete(11) && !bits.delete(-1));
  assert.deepEqual([bits.count, bits.has(10), bits.isFull], [10, false, false]);
  assert.ok(bits.add(10) && bits.isFull);
});

test('what one set has and another has not', () => {
  fc.assert(
    fc.property(fc.nat(70), fc.array(fc.nat(70)), fc.array(fc.nat(70)), (size, mine, theirs) => {
      const [a, b] = [new Bitset(size), new Bitset(size)];
      for (const index of mine) a.add(index);
      for (const index of theirs) b.add(index);
      const seen: number[] = [];
      a.forEachNotIn(b, (index) => seen.push(index));
      assert.deepEqual(
        seen,
        [...a].filter((index) => !b.has(index)),
      );
    }),
  );
});
