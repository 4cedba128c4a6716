import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LingerState, reasonToStop } from '../../agent/linger-policy.ts';
import type { Linger } from '../../contract/parameters.ts';

const fresh: LingerState = {
  elapsedSeconds: 0,
  silentSeconds: 0,
  zerosInARow: 0,
  uploadedBytes: 0,
  imageBytes: 1000,
};
const auto: Linger = { kind: 'auto' };

const table: readonly [string, Linger, Partial<LingerState>, RegExp | undefined][] = [
  ['auto: just complete', auto, {}, undefined],
  ['auto: one 0 is not believed', auto, { elapsedSeconds: 1, zerosInARow: 1 }, undefined],
  ['auto: two are', auto, { elapsedSeconds: 2, zerosInARow: 2 }, /no machine needs/],
  ['auto: needed', auto, { elapsedSeconds: 59 }, undefined],
  ['auto: needed for ever', auto, { elapsedSeconds: 60 }, /60 s are over/],
  ['auto: the server is silent', auto, { elapsedSeconds: 5, silentSeconds: 5 }, /silent/],
  ['seconds: not yet', { kind: 'seconds', seconds: 10 }, { elapsedSeconds: 9.9, zerosInARow: 9 }, undefined],
  ['seconds: over', { kind: 'seconds', seconds: 10 }, { elapsedSeconds: 10 }, /10 s are over/],
  ['seconds: none', { kind: 'seconds', seconds: 0 }, {}, /0 s are over/],
  ['ratio: not yet', { kind: 'ratio', ratio: 1.5 }, { elapsedSeconds: 500, uploadedBytes: 1499 }, undefined],
  ['ratio: reached', { kind: 'ratio', ratio: 1.5 }, { uploadedBytes: 1500 }, /ratio 1\.5 is reached/],
  ['ratio: never', { kind: 'ratio', ratio: 1.5 }, { elapsedSeconds: 600 }, /not reached within 600 s/],
];

for (const [name, linger, state, expected] of table) {
  test(name, () => {
    const reason = reasonToStop(linger, { ...fresh, ...state });
    if (expected) assert.match(reason ?? '', expected);
    else assert.equal(reason, undefined);
  });
}
