import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cpuSeconds, cpuSecondsOf, median, peakRssBytes, peakRssBytesOf } from '../../bench/measure.ts';

test('CPU seconds are user and system ticks, those of ended children too, whatever the program calls itself', () => {
  const rest = 'S 1 2 3 0 -1 4194560 100 0 0 0 150 50 7 8 20 0 11 0 12345';
  assert.equal(cpuSeconds(`42 (node) ${rest}`), 2.15);
  assert.equal(cpuSeconds(`42 (a) S (b c) ${rest}`), 2.15);
});

test('the peak of the resident set is read in bytes', () => {
  assert.equal(peakRssBytes('Name:\tnode\nVmPeak:\t 999 kB\nVmHWM:\t   1024 kB\nVmRSS:\t 10 kB\n'), 2 ** 20);
  assert.throws(() => peakRssBytes('Name:\tzombie\n'), /VmHWM/);
});

test('the kernel gives both for this very process', () => {
  assert(cpuSecondsOf(process.pid) > 0);
  assert(peakRssBytesOf(process.pid) > 2 ** 20);
});

test('the median has as many values below as above', () => {
  assert.equal(median([3]), 3);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 100]), 3);
  assert.throws(() => median([]), /no values/);
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const middle = median(values);
      const below = values.filter((value) => value < middle).length;
      const above = values.filter((value) => value > middle).length;
      assert(below <= values.length / 2 && above <= values.length / 2);
    }),
  );
});
