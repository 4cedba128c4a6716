import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowOf, giftMatrix } from '../../../bench/trace/flow.ts';
import { flowPicture } from '../../../bench/trace/picture.ts';
import type { Trace } from '../../../bench/trace/read.ts';

const trace = (index: number, gained: Trace['gained'], more: Partial<Trace> = {}): Trace => ({
  name: `machine-0${index}`,
  startedAt: 1000 * index,
  completedAt: 9000,
  hosts: ['127.0.0.1', `10.0.0.${index}`],
  port: 7000,
  pieces: 3,
  gained,
  ...more,
});

const SERVER = '10.0.0.99:6881';
const traces = [
  trace(1, [
    { at: 2000, piece: 0, from: [SERVER] },
    { at: 4000, piece: 1, from: ['10.0.0.2:7000', SERVER] },
    { at: 8000, piece: 2, from: ['http://10.0.0.99:7080/files/'] },
  ]),
  // Known by a port of the moment, which only the host tells.
  trace(2, [{ at: 5000, piece: 0, from: ['10.0.0.1:51234'] }], { completedAt: undefined }),
];

test('givers are found by listener or host, others stand first; parts of a piece add up to one', () => {
  const flow = flowOf(traces);
  assert.deepEqual(
    flow.givers.map(({ name, machine }) => [name, machine]),
    [
      [SERVER, undefined],
      ['10.0.0.99:7080 (HTTP)', undefined],
      ['machine-01', 0],
      ['machine-02', 1],
    ],
  );
  assert.deepEqual(giftMatrix(flow), [
    [1.5, 0],
    [1, 0],
    [0, 1],
    [0.5, 0],
  ]);
  const sum = giftMatrix(flow)
    .flat()
    .reduce((all, share) => all + share, 0);
  assert.equal(
    sum,
    traces.reduce((all, { gained }) => all + gained.length, 0),
  );
});

test('a link-local address is known without the zone of the taker', () => {
  const zoned = { at: 5000, piece: 0, from: ['[fe80::1%eth0]:7000'] };
  const flow = flowOf([trace(1, [], { hosts: ['fe80::1'] }), trace(2, [zoned])]);
  assert.deepEqual(giftMatrix(flow), [
    [0, 1],
    [0, 0],
  ]);
});

test('times count from the first start', () => {
  const { takers, gifts, endMs } = flowOf(traces);
  assert.deepEqual(
    takers.map(({ startMs, completeMs }) => [startMs, completeMs]),
    [
      [0, 8000],
      [1000, undefined],
    ],
  );
  assert.deepEqual(
    gifts.map(({ atMs }) => atMs),
    [1000, 3000, 3000, 4000, 7000],
  );
  assert.equal(endMs, 8000);
});

test('machines that share a host are told apart by their ports', () => {
  const flow = flowOf([
    trace(1, [{ at: 2000, piece: 0, from: ['127.0.0.1:7002'] }], { hosts: ['127.0.0.1'], port: 7001 }),
    trace(2, [{ at: 2500, piece: 0, from: ['127.0.0.1:7003'] }], { hosts: ['127.0.0.1'], port: 7002 }),
  ]);
  assert.deepEqual(
    flow.givers.map(({ name }) => name),
    ['127.0.0.1:7003', 'machine-01', 'machine-02'],
  );
  assert.deepEqual(giftMatrix(flow), [
    [0, 1],
    [0, 0],
    [1, 0],
  ]);
});

test('the picture names everybody and has their numbers', () => {
  const svg = flowPicture(flowOf(traces), 'A <swarm>');
  for (const words of ['machine-01', 'machine-02', SERVER, 'A &lt;swarm&gt;'])
    assert(svg.includes(`>${words}<`), words);
  assert.match(svg, /<path d="M/);
});
