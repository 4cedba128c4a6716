/** Makes new inputs out of old ones: bits, bytes, ranges, words of the format, numbers and length fields. */
import type { Random } from './random.ts';

export interface Material {
  /** Inputs that were found interesting; never empty. */
  readonly corpus: readonly Buffer[];
  /** Words of the format. */
  readonly dictionary: readonly Buffer[];
  readonly maxBytes: number;
}

const EDGES = [
  0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

type Mutation = (input: Buffer, random: Random, material: Material) => Buffer;

/** `input` with bytes `from` to `to` (exclusive) replaced. */
const splice = (input: Buffer, from: number, to: number, put: Uint8Array): Buffer =>
  Buffer.concat([input.subarray(0, from), put, input.subarray(to)]);

const at = (input: Buffer, random: Random): number => random.below(input.length + 1);

/** Short lengths are likelier than long ones. */
function range(input: Buffer, random: Random): [number, number] {
  const from = at(input, random);
  const length = Math.floor(random.next() ** 3 * (input.length - from)) + 1;
  return [from, Math.min(input.length, from + length)];
}

function word(value: number, random: Random): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  const kept = bytes.subarray(4 - random.of([1, 2, 4]));
  return random.chance(0.2) ? Buffer.from(kept).reverse() : kept;
}

const MUTATIONS: readonly Mutation[] = [
  function flipBit(input, random) {
    if (input.length === 0) return input;
    const copy = Buffer.from(input);
    copy[random.below(copy.length)]! ^= 1 << random.below(8);
    return copy;
  },
  function setByte(input, random) {
    if (input.length === 0) return input;
    const copy = Buffer.from(input);
    copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  function insertBytes(input, random) {
    const bytes = Buffer.from(Array.from({ length: 1 + random.below(4) }, () => random.below(256)));
    const position = at(input, random);
    return splice(input, position, position, bytes);
  },
  function removeRange(input, random) {
    const [from, to] = range(input, random);
    return splice(input, from, to, Buffer.alloc(0));
  },
  function repeatRange(input, random) {
    const [from, to] = range(input, random);
    const times = random.chance(0.1) ? random.below(200) : 1;
    return splice(input, to, to, Buffer.concat(Array(times).fill(input.subarray(from, to))));
  },
  function moveRange(input, random) {
    const [from, to] = range(input, random);
    const position = at(input, random);
    return splice(input, position, Math.min(input.length, position + to - from), input.subarray(from, to));
  },
  function truncate(input, random) {
    return input.subarray(0, at(input, random));
  },
  function takeWord(input, random, { dictionary }) {
    if (dictionary.length === 0) return input;
    const put = random.of(dictionary);
    const position = at(input, random);
    return splice(input, position, random.chance(0.5) ? position : position + put.length, put);
  },
  function binaryNumber(input, random) {
    const put = word(random.of(EDGES) + random.below(3) - 1, random);
    const position = at(input, random);
    return splice(input, position, random.chance(0.3) ? position : position + put.length, put);
  },
  /** Some length of something in here, as a big-endian field: the likeliest to be believed. */
  function lengthField(input, random) {
    const position = at(input, random);
    const rest = Math.max(0, input.length - position - 4);
    const put = word(random.of([rest, rest + 1, rest - 1, random.below(rest + 1), rest * 2]), random);
    return splice(input, position, position + put.length, put);
  },
  /** The same for decimal digits, as in bencode and HTTP. */
  function decimalNumber(input, random) {
    const numbers = [...input.toString('latin1').matchAll(/\d+/g)];
    if (numbers.length === 0) return input;
    const { index, 0: digits } = random.of(numbers);
    const old = Number(digits);
    const value = random.chance(0.5)
      ? String(random.of([old + 1, old - 1, old * 10, -old, input.length, random.of(EDGES)]))
      : random.of(['', '-0', `0${digits}`, '1e3', '9'.repeat(1 + random.below(30)), `${digits}${digits}`]);
    return splice(input, index, index + digits.length, Buffer.from(value));
  },
  function crossOver(input, random, { corpus }) {
    const other = random.of(corpus);
    const [from, to] = range(other, random);
    const position = at(input, random);
    return splice(input, position, random.chance(0.5) ? input.length : position, other.subarray(from, to));
  },
];

/** A few mutations on top of each other. */
export function mutate(input: Buffer, random: Random, material: Material): Buffer {
  let output = input;
  const times = 1 + Math.floor(random.next() ** 2 * 6);
  for (let round = 0; round < times; round++) output = random.of(MUTATIONS)(output, random, material);
  return output.subarray(0, material.maxBytes);
}
