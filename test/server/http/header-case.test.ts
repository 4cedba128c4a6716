import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalName } from '../../../server/http/header-case.ts';

test('each word of a name begins with a capital, and what has them keeps them', () => {
  assert.equal(canonicalName('content-length'), 'Content-Length');
  assert.equal(canonicalName('etag'), 'Etag');
  assert.equal(canonicalName('ETag'), 'ETag');
  assert.equal(canonicalName('x-1-a'), 'X-1-A');
});
