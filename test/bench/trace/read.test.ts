import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTrace } from '../../../bench/trace/read.ts';

const START = '{"at":5,"event":"start","hosts":["10.0.0.2"],"port":7,"pieces":2}\n';

test('a trace is read as it was written', () => {
  const trace = readTrace(
    'machine-01',
    `${START}{"at":6,"event":"joined","peer":"10.0.0.1:1"}\n{"at":7,"event":"piece","piece":1,"from":["10.0.0.1:1"]}\n{"at":9,"event":"complete"}\n`,
  );
  assert.deepEqual(trace, {
    name: 'machine-01',
    startedAt: 5,
    completedAt: 9,
    hosts: ['10.0.0.2'],
    port: 7,
    pieces: 2,
    gained: [{ at: 7, piece: 1, from: ['10.0.0.1:1'] }],
  });
});

test('a machine that lost its power left half a line', () => {
  const trace = readTrace('m', `${START}{"at":7,"event":"pie`);
  assert.deepEqual([trace.gained, trace.completedAt], [[], undefined]);
});

test('what is no trace is refused, with the line', () => {
  for (const [text, message] of [
    ['', /"m": it does not begin with "start"/],
    ['{"at":9,"event":"complete"}\n', /does not begin with "start"/],
    [`${START}nonsense\n`, /"m": line 2 is no JSON/],
    [`${START}{"at":1,"event":"piece","piece":-1,"from":[]}\n`, /"m": line 2 is no event/],
    [`${START}{"at":1,"event":"piece","piece":1,"from":"all"}\n`, /line 2 is no event/],
  ] as const)
    assert.throws(() => readTrace('m', text), message, text);
});
