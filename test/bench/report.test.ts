import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable, type Run, withRatios } from '../../bench/report.ts';

const run = (engine: string, megabytesPerSecond: number, more: Partial<Run> = {}): Run => ({
  engine,
  clients: 1,
  sizeBytes: 512 * 2 ** 20,
  seconds: (512 * 2 ** 20) / 1e6 / megabytesPerSecond,
  megabytesPerSecond,
  roundsMegabytesPerSecond: [megabytesPerSecond],
  ...more,
});

test('every run is set against libtorrent of the same run', () => {
  const ratios = withRatios([run('ours', 800), run('libtorrent', 200), run('aria2', 100)]);
  assert.deepEqual(
    ratios.map(({ ratioToLibtorrent }) => ratioToLibtorrent),
    [4, 1, 0.5],
  );
});

test('without libtorrent there is no ratio', () => {
  assert.deepEqual(withRatios([run('ours', 800)]), [run('ours', 800)]);
});

test('the table lines up, and shows what was not measured as a dash', () => {
  const table = formatTable([
    run('ours', 812.4, { leecherCpuSeconds: 0.61, peakRssBytes: 96 * 2 ** 20, ratioToLibtorrent: 3.676 }),
    run('libtorrent', 221, { note: 'a peer' }),
  ]);
  assert.equal(
    table,
    [
      'engine      MiB  MB/s  rounds  x libtorrent  leecher CPU s  seeder CPU s  leecher peak MiB  note',
      'ours        512   812     812          3.68           0.61             -                96',
      'libtorrent  512   221     221             -              -             -                 -  a peer',
    ].join('\n'),
  );
});
