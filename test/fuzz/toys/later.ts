/** What is thrown in a promise that nobody holds, after the parser has returned. */
import type { Target } from '../target.ts';

export const makeTarget = (): Target => ({
  sources: ['toys/later.ts'],
  seeds: [Buffer.from('abc')],
  async run(input) {
    if (input.includes(0x21)) void Promise.resolve().then(() => JSON.parse('{'));
    await new Promise((resolve) => setImmediate(resolve));
    return 'fine';
  },
});
