import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealOf } from '../../../agent/handoff/seal.ts';

const verity = { rootHash: '5a'.repeat(32), dataBlocks: 25600 };

test('the seal of the image, if it is wanted', () => {
  assert.deepEqual(sealOf({ name: 'lab', verity }, true), verity);
  assert.equal(sealOf({ name: 'lab', verity }, false), undefined);
  assert.equal(sealOf({ name: 'lab' }, false), undefined);
});
test('who wants it gets nothing without', () => {
  assert.throws(() => sealOf({ name: 'lab' }, true), {
    code: 'no-verity',
    message: /image "lab" cannot give/,
  });
});
