import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { searchSmallest } from '../../../bench/boot/search.ts';

test('finds the least within a step, in few trials', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 300, max: 3000 }),
      fc.constantFrom(16, 32, 64),
      async (needed, stepMiB) => {
        const range = { leastMiB: 512, mostMiB: 2048, stepMiB };
        const { smallestMiB, trials } = await searchSmallest(range, async (memory) => memory >= needed);
        if (needed > 2048) {
          assert.equal(smallestMiB, undefined);
          assert.deepEqual(trials, [{ memoryMiB: 2048, ok: false }]);
          return;
        }
        assert.ok(smallestMiB !== undefined && smallestMiB >= needed && smallestMiB >= 512);
        assert.ok(smallestMiB < Math.max(needed, 512) + stepMiB);
        assert.ok(trials.length <= 2 + Math.ceil(Math.log2(1536 / stepMiB + 1)));
      },
    ),
  );
});
