import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineChart, spread } from '../../../bench/plot/line-chart.ts';

test('names that would lie on each other are pushed apart, in order, within the picture', () => {
  assert.deepEqual(spread([10, 12, 100], 16, 200), [10, 26, 100]);
  assert.deepEqual(spread([12, 10], 16, 200), [26, 10]);
  assert.deepEqual(spread([199, 200, 198], 10, 200), [190, 200, 180]);
});

const points = [
  { x: 8, y: 1.1, range: [1.05, 1.2] as const },
  { x: 16, y: 1.2 },
];

test('every line is there with its name, and a simulated one is dashed', () => {
  const svg = lineChart({
    title: 'T & T',
    x: 'machines',
    y: 'ratio',
    series: [
      { name: 'ours', colour: '#111111', points, strong: true },
      { name: 'simulated', colour: '#222222', points, dashed: true },
      { name: 'nothing', colour: '#333333', points: [] },
    ],
  });
  assert.equal(svg.match(/<polyline/g)?.length, 2);
  assert.match(svg, /stroke-dasharray/);
  assert.match(svg, />ours<\/text>/);
  assert(!svg.includes('nothing'));
  assert.match(svg, /<title>T &amp; T<\/title>/);
  assert.equal(svg.match(/<circle/g)?.length, 2, 'only what was measured has dots');
});

test('what is beyond the edge says how far', () => {
  const svg = lineChart({
    title: '',
    x: '',
    y: '',
    yTo: 2,
    series: [{ name: 'http', colour: '#000', points: [{ x: 8, y: 8.25 }] }],
  });
  assert.match(svg, />http 8.25<\/text>/);
});

test('without a point there is no chart', () => {
  assert.throws(() => lineChart({ title: '', x: '', y: '', series: [] }), /without a point/);
});
