import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isName } from '../../../server/catalog/layout.ts';
import { compareVersions, nextVersion } from '../../../server/catalog/version.ts';

const noon = Date.UTC(2026, 0, 31, 12);

test('versions count up within a day and begin anew the next', () => {
  assert.equal(nextVersion([], noon), '20260131.1');
  assert.equal(nextVersion(['20260131.9', '20260131.10', '20260130.40', 'other'], noon), '20260131.11');
  assert.equal(nextVersion(['20260131.9'], noon + 86_400_000), '20260201.1');
});

test('the next version is above all others and may stand in a path', () => {
  const version = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 2000 }));
  fc.assert(
    fc.property(fc.array(version), (days) => {
      const existing = days.map(([back, number]) => `${20260131 - back}.${number}`);
      const next = nextVersion(existing, noon);
      assert.ok(existing.every((other) => compareVersions(other, next) < 0));
      assert.ok(isName(next));
    }),
  );
});
