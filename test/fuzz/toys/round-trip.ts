/** An encoder that forgets an escape: nothing throws, only the property is broken. */
import assert from 'node:assert/strict';
import type { Target } from '../target.ts';

const encode = (text: string): string => text.replaceAll('%', '%25').replaceAll('\n', '%0a');
const decode = (text: string): string => text.replaceAll('%25', '%').replaceAll('%0a', '\n');

export const makeTarget = (): Target => ({
  sources: ['toys/round-trip.ts'],
  seeds: [Buffer.from('a line\n100%')],
  run(input) {
    const text = input.toString('latin1');
    assert.equal(decode(encode(text)), text);
    return 'fine';
  },
});
