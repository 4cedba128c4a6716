import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLostSample, samples, writeSamples } from '../../../agent/handoff/region-check.ts';
import type { Store } from '../../../torrent/index.ts';

const MIB = 1024 ** 2;
const seed = Buffer.from('0123456789abcdef', 'hex');

/** RAM of `length` bytes; addresses go through `address` first. */
function memory(length: number, address = (offset: number): number => offset): Store {
  const bytes = Buffer.alloc(length);
  return {
    length,
    write: async (offset, from) => void bytes.set(from, address(offset)),
    read: async (offset, target) =>
      target.set(bytes.subarray(address(offset), address(offset) + target.length)),
    sync: async () => {},
    close: async () => {},
  };
}

test('the first page, one in each 4 MiB and the last are tried', () => {
  assert.deepEqual(samples(9 * MIB), [0, 4 * MIB, 8 * MIB, 9 * MIB - 4096]);
  assert.deepEqual(samples(4096), [0]);
  assert.deepEqual(samples(4095), []);
});

test('RAM that keeps what is written passes', async () => {
  const store = memory(9 * MIB);
  await writeSamples(store, seed);
  assert.equal(await findLostSample(store, seed), undefined);
});

test('RAM that forgets, or is there twice, is found', async () => {
  const forgetful = memory(9 * MIB);
  await writeSamples(forgetful, seed);
  await forgetful.write(8 * MIB + 100, Buffer.from([1]));
  assert.equal(await findLostSample(forgetful, seed), 8 * MIB);
  // An address line that does not count: 4 MiB and 0 are the same cell.
  const mirrored = memory(9 * MIB, (offset) => offset % (4 * MIB));
  await writeSamples(mirrored, seed);
  assert.equal(await findLostSample(mirrored, seed), 0);
});

test('what an earlier boot left behind does not pass for this one', async () => {
  const store = memory(9 * MIB);
  await writeSamples(store, Buffer.from('an earlier boot!'));
  assert.equal(await findLostSample(store, seed), 0);
});
