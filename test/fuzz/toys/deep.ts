/** A parser with a bug behind five bytes that must all be right: blind chance would need 2^40 inputs. */
import type { Target } from '../target.ts';

export function parse(input: Buffer): string {
  if (input.length < 6) return 'short';
  if (input[0] === 0x53) {
    if (input[1] === 0x57) {
      if (input[2] === 0x41) {
        if (input[3] === 0x52) {
          if (input[4]! > 0xf0) {
            const missing = undefined as unknown as { length: number };
            return `${missing.length}`;
          }
        }
      }
    }
  }
  return 'fine';
}

export const makeTarget = (): Target => ({
  sources: ['toys/deep.ts'],
  seeds: [Buffer.from('??????')],
  run: parse,
});
