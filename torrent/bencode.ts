/**
 * Bencode (BEP 3), strict and bounded: what is decoded here comes from strangers.
 *
 * Invariants: every length is checked against the bytes that are really there before anything is made of it; nesting
 * and the number of values are limited; strings are views into the input, so memory stays proportional to the input.
 * Decoding throws `BencodeError` and nothing else.
 */

/** Strings are Buffers, integers are numbers where safe and bigints up to 64 bits, dictionary keys are latin1. */
export type BencodeValue = number | bigint | Buffer | BencodeValue[] | BencodeDictionary;
export type BencodeDictionary = Map<string, BencodeValue>;

/** What can be encoded: strings are written as UTF-8, `Map` and object keys as latin1 (one char, one byte). */
export type BencodeInput =
  | number
  | bigint
  | string
  | Uint8Array
  | readonly BencodeInput[]
  | ReadonlyMap<string, BencodeInput>
  | { readonly [key: string]: BencodeInput | undefined };

export interface BencodeLimits {
  /** Lists and dictionaries inside each other; default 32. */
  readonly maxDepth?: number;
  /** Values and keys in all; default 2^20. */
  readonly maxValues?: number;
  /**
   * Accept keys out of order, which BEP 3 forbids but some trackers send; default false. Duplicate keys are refused
   * either way.
   */
  readonly unsortedKeys?: boolean;
}

export type BencodeErrorCode =
  | 'truncated'
  | 'trailing-bytes'
  | 'bad-integer'
  | 'bad-length'
  | 'bad-key'
  | 'bad-token'
  | 'too-deep'
  | 'too-many-values'
  | 'not-a-dictionary'
  | 'not-encodable';

/** Why bytes are not (acceptable) bencode; the message names the byte offset. */
export class BencodeError extends Error {
  readonly code: BencodeErrorCode;
  constructor(code: BencodeErrorCode, message: string) {
    super(message);
    this.name = 'BencodeError';
    this.code = code;
  }
}

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const COLON = 0x3a;
const INTEGER = 0x69; // i
const LIST = 0x6c; // l
const DICTIONARY = 0x64; // d
const END = 0x65; // e
/** A string longer than 2^40 bytes cannot be in memory: more digits are refused before they are counted. */
const MAX_LENGTH_DIGITS = 12;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

class Reader {
  readonly bytes: Buffer;
  readonly maxDepth: number;
  readonly unsortedKeys: boolean;
  valuesLeft: number;
  position = 0;

  constructor(bytes: Uint8Array, limits: BencodeLimits) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.maxDepth = limits.maxDepth ?? 32;
    this.valuesLeft = limits.maxValues ?? 2 ** 20;
    this.unsortedKeys = limits.unsortedKeys ?? false;
  }

  fail(code: BencodeErrorCode, what: string): never {
    throw new BencodeError(code, `Bencode at byte ${this.position}: ${what}`);
  }

  peek(): number {
    const byte = this.bytes[this.position];
    if (byte === undefined) this.fail('truncated', 'the data ends early');
    return byte;
  }

  value(depth: number): BencodeValue {
    if (--this.valuesLeft < 0) this.fail('too-many-values', 'more values than allowed');
    const token = this.peek();
    if (token >= ZERO && token <= NINE) return this.string();
    if (token === INTEGER) return this.integer();
    if (token !== LIST && token !== DICTIONARY) this.fail('bad-token', `unexpected byte ${token}`);
    if (depth >= this.maxDepth) this.fail('too-deep', `nested deeper than ${this.maxDepth}`);
    this.position++;
    return token === LIST ? this.list(depth + 1) : this.dictionary(depth + 1);
  }

  integer(): number | bigint {
    const start = ++this.position;
    if (this.peek() === MINUS) this.position++;
    const digits = this.position;
    while (this.peek() >= ZERO && this.peek() <= NINE) {
      // 19 digits hold every 64-bit integer; the check inside the loop keeps a megabyte of digits cheap.
      if (++this.position - digits > 19) this.fail('bad-integer', 'the integer has more than 64 bits');
    }
    if (this.position === digits) this.fail('bad-integer', 'the integer has no digits');
    if (this.peek() !== END) this.fail('bad-integer', 'the integer holds something that is no digit');
    const leadingZero = this.bytes[digits] === ZERO;
    if (leadingZero && (this.position - digits > 1 || digits > start)) {
      this.fail('bad-integer', 'the integer has a leading zero or is -0');
    }
    const text = this.bytes.toString('latin1', start, this.position++);
    const number = Number(text);
    if (Number.isSafeInteger(number)) return number;
    const big = BigInt(text);
    if (big < INT64_MIN || big > INT64_MAX) this.fail('bad-integer', 'the integer has more than 64 bits');
    return big;
  }

  string(): Buffer {
    const digits = this.position;
    let length = 0;
    for (let byte = this.peek(); byte !== COLON; byte = this.peek()) {
      if (byte < ZERO || byte > NINE)
        this.fail('bad-length', 'the string length holds something that is no digit');
      length = length * 10 + (byte - ZERO);
      if (++this.position - digits > MAX_LENGTH_DIGITS)
        this.fail('bad-length', 'the string length is absurd');
    }
    if (this.bytes[digits] === ZERO && this.position - digits > 1) {
      this.fail('bad-length', 'the string length has a leading zero');
    }
    const start = this.position + 1;
    if (length > this.bytes.length - start) {
      this.fail(
        'truncated',
        `a string of ${length} bytes is announced, ${this.bytes.length - start} are there`,
      );
    }
    this.position = start + length;
    return this.bytes.subarray(start, this.position);
  }

  list(depth: number): BencodeValue[] {
    const items: BencodeValue[] = [];
    while (this.peek() !== END) items.push(this.value(depth));
    this.position++;
    return items;
  }

  /** The position stands behind the `d`; `onEntry` sees where each value lies. */
  dictionary(depth: number, onEntry?: (key: string, start: number, end: number) => void): BencodeDictionary {
    const entries: BencodeDictionary = new Map();
    let previous: string | undefined;
    while (this.peek() !== END) {
      if (this.peek() < ZERO || this.peek() > NINE) this.fail('bad-key', 'a dictionary key is no string');
      if (--this.valuesLeft < 0) this.fail('too-many-values', 'more values than allowed');
      const key = this.string().toString('latin1');
      if (entries.has(key)) this.fail('bad-key', 'a dictionary key occurs twice');
      if (previous !== undefined && key < previous && !this.unsortedKeys) {
        this.fail('bad-key', 'dictionary keys are not sorted');
      }
      previous = key;
      const start = this.position;
      entries.set(key, this.value(depth));
      onEntry?.(key, start, this.position);
    }
    this.position++;
    return entries;
  }

  end(): void {
    if (this.position !== this.bytes.length) this.fail('trailing-bytes', 'there are bytes behind the value');
  }
}

/** Decodes one value that fills all of `bytes`. Strings are views into `bytes`. Throws `BencodeError`. */
export function decodeBencode(bytes: Uint8Array, limits: BencodeLimits = {}): BencodeValue {
  const reader = new Reader(bytes, limits);
  const value = reader.value(0);
  reader.end();
  return value;
}

/**
 * Decodes the value that `bytes` begins with and says how many bytes it took: ut_metadata (BEP 9) puts payload
 * directly behind a dictionary.
 */
export function decodeBencodePrefix(
  bytes: Uint8Array,
  limits: BencodeLimits = {},
): { value: BencodeValue; length: number } {
  const reader = new Reader(bytes, limits);
  const value = reader.value(0);
  return { value, length: reader.position };
}

/** A dictionary with the raw bytes of each of its values: infohashes are made of bytes as they came. */
export function decodeDictionaryWithRaw(
  bytes: Uint8Array,
  limits: BencodeLimits = {},
): Map<string, { value: BencodeValue; raw: Buffer }> {
  const reader = new Reader(bytes, limits);
  if (reader.peek() !== DICTIONARY) reader.fail('not-a-dictionary', 'a dictionary is expected');
  reader.position++;
  const spans = new Map<string, Buffer>();
  const entries = reader.dictionary(1, (key, start, end) => {
    spans.set(key, reader.bytes.subarray(start, end));
  });
  reader.end();
  const result = new Map<string, { value: BencodeValue; raw: Buffer }>();
  for (const [key, value] of entries) result.set(key, { value, raw: spans.get(key) as Buffer });
  return result;
}

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

function encodeInto(parts: Uint8Array[], value: BencodeInput): void {
  if (typeof value === 'number' || typeof value === 'bigint') {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw new BencodeError('not-encodable', `Bencode has no number like ${value}`);
    }
    parts.push(ascii(`i${value}e`));
  } else if (typeof value === 'string') {
    encodeInto(parts, Buffer.from(value, 'utf8'));
  } else if (value instanceof Uint8Array) {
    parts.push(ascii(`${value.length}:`), value);
  } else if (Array.isArray(value)) {
    parts.push(ascii('l'));
    for (const item of value) encodeInto(parts, item);
    parts.push(ascii('e'));
  } else {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    // Comparing UTF-16 units of latin1 strings compares bytes.
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    parts.push(ascii('d'));
    for (const [key, item] of entries) {
      if (item === undefined) continue;
      if (/[^\0-\xff]/.test(key))
        throw new BencodeError('not-encodable', `Key ${JSON.stringify(key)} is not latin1`);
      parts.push(ascii(`${key.length}:${key}`));
      encodeInto(parts, item);
    }
    parts.push(ascii('e'));
  }
}

/** The one canonical encoding of `value`. Throws `BencodeError` `not-encodable`. */
export function encodeBencode(value: BencodeInput): Buffer {
  const parts: Uint8Array[] = [];
  encodeInto(parts, value);
  return Buffer.concat(parts);
}

/** `raw` bencoded bytes stay as they are inside a dictionary that is encoded around them; keys are sorted here. */
export function encodeDictionaryOfRaw(entries: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Uint8Array[] = [ascii('d')];
  for (const key of [...entries.keys()].sort()) {
    parts.push(ascii(`${key.length}:${key}`), entries.get(key) as Uint8Array);
  }
  parts.push(ascii('e'));
  return Buffer.concat(parts);
}
