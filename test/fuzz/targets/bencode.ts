/** torrent/bencode.ts: whatever is accepted has one encoding, that one. */
import assert from 'node:assert/strict';
import {
  BencodeError,
  type BencodeInput,
  decodeBencode,
  decodeBencodePrefix,
  decodeDictionaryWithRaw,
  encodeBencode,
  encodeDictionaryOfRaw,
} from '../../../torrent/bencode.ts';
import type { Target } from '../target.ts';

const refused = <T>(work: () => T): T | BencodeError => {
  try {
    return work();
  } catch (error) {
    if (error instanceof BencodeError) return error;
    throw error;
  }
};

export const makeTarget = (): Target => ({
  sources: ['torrent/bencode.ts'],
  seeds: [
    'de',
    'le',
    'i0e',
    'i-5e',
    '0:',
    '4:spam',
    'd3:bar4:spam3:fooi42ee',
    'd1:ad1:bl1:ci9223372036854775807eee1:d0:e',
    'd8:msg_typei1e5:piecei0e10:total_sizei34256eexxxxxxxx',
  ].map((text) => Buffer.from(text)),
  dictionary: [
    'd',
    'l',
    'e',
    'i',
    ':',
    'i0e',
    '0:',
    '1:a',
    'de',
    'le',
    '-',
    '999999999999:',
    'i-9223372036854775808e',
  ],
  run(input) {
    const value = refused(() => decodeBencode(input, { maxDepth: 16, maxValues: 10_000 }));
    const prefix = refused(() => decodeBencodePrefix(input, { maxDepth: 16, unsortedKeys: true }));
    const raw = refused(() => decodeDictionaryWithRaw(input));
    if (!(prefix instanceof BencodeError)) assert.ok(prefix.length > 0 && prefix.length <= input.length);
    if (value instanceof BencodeError) return `refused: ${value.code}`;
    assert.ok(!(prefix instanceof BencodeError), 'what is whole is a prefix too');
    assert.equal(prefix.length, input.length);
    assert.ok(encodeBencode(value as BencodeInput).equals(input), 'one value, one encoding');
    if (value instanceof Map) {
      assert.ok(!(raw instanceof BencodeError));
      const parts = new Map([...raw].map(([key, entry]) => [key, entry.raw]));
      assert.ok(encodeDictionaryOfRaw(parts).equals(input), 'raw parts make up the whole');
    }
    return `accepted: ${value instanceof Map ? 'dictionary' : Array.isArray(value) ? 'list' : typeof value}`;
  },
});
