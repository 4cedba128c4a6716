import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../../agent/fetch-options.ts';
import { parseSeedOptions } from '../../../agent/seed/options.ts';

test('without arguments it takes what stage-1 left', () => {
  assert.deepEqual(parseSeedOptions([]), {
    state: '/run/swarmboot/seed',
    config: '/etc/swarmboot/seed.conf',
    runtime: undefined,
    json: false,
  });
});

test('an option that does not exist is a usage error', () => {
  assert.throws(() => parseSeedOptions(['--rate', '5']), UsageError);
});
