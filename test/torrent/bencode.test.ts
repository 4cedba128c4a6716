import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  BencodeError,
  type BencodeErrorCode,
  type BencodeInput,
  type BencodeValue,
  decodeBencode,
  decodeBencodePrefix,
  decodeDictionaryWithRaw,
  encodeBencode,
  encodeDictionaryOfRaw,
} from '../../torrent/bencode.ts';

const decode = (text: string) => decodeBencode(Buffer.from(text, 'latin1'));
const latin1 = fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

/** Any value in the form that decoding gives. */
const value = fc.letrec<{ value: BencodeValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(latin1, tie('value')), { maxLength: 5 }).map((entries) => new Map(entries)),
  ),
})).value;

suite('bencode', () => {
  const refused: readonly (readonly [string, BencodeErrorCode])[] = [
    ['', 'truncated'],
    ['l-3:', 'bad-token'], // the stock decoder fills all memory on this one
    ['d-3:', 'bad-key'],
    ['-3:abc', 'bad-token'],
    ['i', 'truncated'],
    ['ie', 'bad-integer'],
    ['i-e', 'bad-integer'],
    ['i-0e', 'bad-integer'],
    ['i03e', 'bad-integer'],
    ['i-03e', 'bad-integer'],
    ['i1.5e', 'bad-integer'],
    ['i 1e', 'bad-integer'],
    ['i9223372036854775808e', 'bad-integer'],
    [`i${'9'.repeat(100_000)}e`, 'bad-integer'],
    ['4:abc', 'truncated'],
    ['04:abcd', 'bad-length'],
    ['00:', 'bad-length'],
    ['999999999999:a', 'truncated'],
    ['9999999999999999999999:a', 'bad-length'],
    ['4', 'truncated'],
    ['4x', 'bad-length'],
    ['l', 'truncated'],
    ['d', 'truncated'],
    ['d1:a', 'truncated'],
    ['d1:ae', 'bad-token'],
    ['di1ei2ee', 'bad-key'],
    ['d1:bi1e1:ai2ee', 'bad-key'],
    ['d1:ai1e1:ai2ee', 'bad-key'],
    ['i1ei2e', 'trailing-bytes'],
    ['x', 'bad-token'],
    ['l'.repeat(1_000_000), 'too-deep'],
    ['d1:a'.repeat(250_000), 'too-deep'],
    [`l${'le'.repeat(1_100_000)}e`, 'too-many-values'],
  ];
  for (const [text, code] of refused) {
    test(`refuses ${JSON.stringify(text.slice(0, 24))} as ${code}`, () => {
      assert.throws(
        () => decode(text),
        (error) => error instanceof BencodeError && error.code === code && /byte \d+/.test(error.message),
      );
    });
  }

  test('reads every kind of value', () => {
    const read = decode('d1:ai-7e1:bl0:3:abci0ee1:cdee');
    assert.deepEqual(
      read,
      new Map<string, BencodeValue>([
        ['a', -7],
        ['b', [Buffer.from(''), Buffer.from('abc'), 0]],
        ['c', new Map()],
      ]),
    );
    assert.equal(decode('i9223372036854775807e'), 2n ** 63n - 1n);
  });

  test('accepts unsorted keys only where asked, duplicates never', () => {
    const unsorted = Buffer.from('d1:bi1e1:ai2ee');
    assert.deepEqual(
      [...(decodeBencode(unsorted, { unsortedKeys: true }) as Map<string, unknown>).keys()],
      ['b', 'a'],
    );
    assert.throws(() => decodeBencode(Buffer.from('d1:ai1e1:ai1ee'), { unsortedKeys: true }), BencodeError);
  });

  test('depth is a limit, not a guess', () => {
    assert.ok(decodeBencode(Buffer.from('lllleeee'), { maxDepth: 4 }));
    assert.throws(() => decodeBencode(Buffer.from('lllleeee'), { maxDepth: 3 }), { code: 'too-deep' });
  });

  test('round trip: what was encoded is decoded to the same, and only one encoding is accepted', () => {
    fc.assert(
      fc.property(value, (input) => {
        const bytes = encodeBencode(input as BencodeInput);
        const output = decodeBencode(bytes);
        assert.deepEqual(encodeBencode(output as BencodeInput), bytes);
        assert.deepEqual(output, decodeBencode(bytes, { unsortedKeys: true }));
      }),
    );
  });

  test('random and damaged bytes throw BencodeError and nothing else', () => {
    const grammar = fc.string({
      unit: fc.constantFrom('i', 'l', 'd', 'e', ':', '-', '0', '1', '3', '9', 'a'),
      maxLength: 60,
    });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      grammar.map((text) => Buffer.from(text)),
    );
    let decoded = 0;
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          const output = decodeBencode(input);
          decoded++;
          assert.deepEqual(encodeBencode(output as BencodeInput), Buffer.from(input));
        } catch (error) {
          if (!(error instanceof BencodeError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(decoded > 0, 'some inputs must have been valid, or the property says little');
  });

  test('a prefix ends where its value ends', () => {
    const bytes = Buffer.from('d8:msg_typei1ee\xff\x00payload', 'latin1');
    const { value: head, length } = decodeBencodePrefix(bytes);
    assert.deepEqual(head, new Map([['msg_type', 1]]));
    assert.equal(bytes.toString('latin1', length), '\xff\x00payload');
  });

  test('raw entries are the bytes as they came and go back unchanged', () => {
    const bytes = Buffer.from('d1:ai1e4:infod1:xl1:yee1:zd1:qdeee');
    const entries = decodeDictionaryWithRaw(bytes);
    assert.equal(entries.get('info')?.raw.toString(), 'd1:xl1:yee');
    assert.deepEqual(entries.get('info')?.value, new Map([['x', [Buffer.from('y')]]]));
    assert.deepEqual(encodeDictionaryOfRaw(new Map([...entries].map(([key, { raw }]) => [key, raw]))), bytes);
    assert.throws(() => decodeDictionaryWithRaw(Buffer.from('le')), { code: 'not-a-dictionary' });
  });

  test('encodes objects sorted, leaves undefined out, refuses what bencode cannot say', () => {
    assert.equal(
      encodeBencode({ b: 1, a: ['x', Buffer.from([255])], c: undefined }).toString('latin1'),
      'd1:al1:x1:\xffe1:bi1ee',
    );
    assert.equal(encodeBencode('ü').toString('utf8'), '2:ü');
    for (const wrong of [1.5, Number.NaN, 2 ** 53, { '€': 1 }]) {
      assert.throws(() => encodeBencode(wrong), { code: 'not-encodable' });
    }
  });
});
