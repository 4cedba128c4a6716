import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../../torrent/policy/pace.ts';

test('behind is who gets less than before, not who gets the same, or little all the time', () => {
  const pace = new Pace(0);
  assert.equal(pace.isBehind(6e6, 4000), false);
  assert.equal(pace.isBehind(5.9e6, 5000), false);
  assert.equal(pace.isBehind(5.4e6, 6000), true);
  assert.equal(pace.isBehind(6.1e6, 7000), false);
});
test('what a start brings at once is no rate', () => {
  const pace = new Pace(0);
  assert.equal(pace.isBehind(50e6, 500), false);
  assert.equal(pace.isBehind(6e6, 4000), false);
});
test('a room that has become slower is not behind for ever', () => {
  const pace = new Pace(0);
  pace.isBehind(6e6, 4000);
  assert.equal(pace.isBehind(3e6, 60_000), true);
  assert.equal(pace.isBehind(3e6, 400_000), false);
});
