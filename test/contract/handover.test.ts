import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseHandover, serializeHandover } from '../../contract/handover.ts';
import { goodHandover } from './fixtures.ts';

test('what is written is read', () => {
  assert.deepEqual(parseHandover(serializeHandover(goodHandover)), goodHandover);
});

test('a newer stage-1 may say more', () => {
  const more = JSON.stringify({ ...goodHandover, verity: 'x' });
  assert.deepEqual(parseHandover(more), goodHandover);
});

test('a wrong field is named', () => {
  for (const [change, complaint] of [
    [{ mac: '1' }, /seed\.json: mac:/],
    [{ port: 0 }, /seed\.json: port:/],
    [{ files: [{ path: 'x', source: 'dev/pmem0', offset: 0 }] }, /files\.0\.source/],
    [{ files: [{ path: 'x', source: '/dev/pmem0', offset: -1 }] }, /files\.0\.offset/],
    [{ trackers: ['file:///etc/passwd'] }, /trackers\.0/],
    [{ rateMiB: -1 }, /rateMiB/],
  ] as const) {
    assert.throws(() => parseHandover(JSON.stringify({ ...goodHandover, ...change })), {
      message: complaint,
    });
  }
});

test('any text is either a handover or an Error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.throws(() => parseHandover(text), Error);
    }),
  );
});
