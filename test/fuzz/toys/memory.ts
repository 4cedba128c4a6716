/** A length field that is believed. */
import type { Target } from '../target.ts';

export const makeTarget = (): Target => ({
  sources: ['toys/memory.ts'],
  seeds: [Buffer.from([0, 0, 0, 1, 7])],
  run(input) {
    if (input.length < 4) return 'short';
    const body = Buffer.alloc(Math.min(input.readUInt32BE(0), 2 ** 30));
    input.copy(body, 0, 4);
    return body.length > 3 ? 'long' : 'fine';
  },
});
