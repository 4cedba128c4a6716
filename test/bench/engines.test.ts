import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENGINES, enginesNamed } from '../../bench/engines.ts';

test('engines are taken by name, in the order that was asked for', () => {
  assert.deepEqual(
    enginesNamed('raw,ours').map((engine) => engine.name),
    ['raw', 'ours'],
  );
});

test('an unknown engine is refused with the names that exist', () => {
  assert.throws(() => enginesNamed('ours,utorrent'), /"utorrent".*ours, .*libtorrent, aria2/);
});

test('no name stands for two engines', () => {
  assert.equal(new Set(ENGINES.map((engine) => engine.name)).size, ENGINES.length);
});
