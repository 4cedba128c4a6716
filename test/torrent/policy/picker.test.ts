import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitset } from '../../../torrent/policy/bitset.ts';
import { pickFromOrigin, pickRarest } from '../../../torrent/policy/picker.ts';

/** Each char is a piece: a digit is its number of copies; `.` is not offered, `t` is taken, `x` may not be asked for. */
const input = (drawn: string, random = () => 0.999) => {
  const offered = new Bitset(drawn.length);
  const taken = new Bitset(drawn.length);
  [...drawn].forEach((char, piece) => {
    if (char !== '.') offered.add(piece);
    if (char === 't') taken.add(piece);
  });
  return {
    offered,
    taken,
    isAllowed: (piece: number) => drawn[piece] !== 'x',
    copies: (piece: number) => Number(drawn[piece]),
    random,
  };
};
/** A small generator, so that draws repeat. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('rarest first', () => {
  assert.equal(pickRarest(input('3321.5')), 3);
  assert.equal(pickRarest(input('332t15x')), 4);
  assert.equal(pickRarest(input('.t.x')), -1);
  assert.equal(pickRarest(input('')), -1);
});

test('equals are drawn with equal chances', () => {
  const random = generator(7);
  const hits = [0, 0, 0, 0];
  for (let round = 0; round < 4000; round++) hits[pickRarest(input('1121', random))]!++;
  assert.equal(hits[2], 0);
  for (const piece of [0, 1, 3]) assert.ok(hits[piece]! > 1200 && hits[piece]! < 1470, `${hits}`);
});

const origin = (drawn: string, mine: string, idle: boolean, starving: boolean) =>
  pickFromOrigin({ ...input(drawn), isMine: (piece) => mine[piece] === 'm', idle, starving });

test('from an origin: first what nobody has and is mine', () => {
  assert.equal(origin('0010', '..mm', false, false), 3);
});
test('then, if it is idle, what nobody has', () => {
  assert.equal(origin('1011', '..mm', true, false), 1);
  assert.equal(origin('1011', '..mm', false, false), -1);
});
test('what peers have only when they cannot supply it', () => {
  assert.equal(origin('1311', 'mmmm', true, false), -1);
  assert.equal(origin('2313', 'mmmm', true, true), 2);
});
