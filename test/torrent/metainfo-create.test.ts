import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { decodeBencode } from '../../torrent/bencode.ts';
import { parseMetainfo } from '../../torrent/metainfo.ts';
import { createMetainfo } from '../../torrent/metainfo-create.ts';
import { makeSample, PIECE, SAMPLE_FILES } from './sample-torrent.ts';

suite('metainfo-create', () => {
  test('the same files give the same bytes, in whatever order they are named', async () => {
    await using sample = await makeSample();
    const files = Object.keys(SAMPLE_FILES).map((path) => ({ path, source: join(sample.directory, path) }));
    const again = await createMetainfo({ name: 'sample', pieceLength: PIECE, files: files.reverse() });
    assert.deepEqual(again, sample.torrent);
  });

  test('what is made parses, with every file on a piece of its own and no tail pad', async () => {
    await using sample = await makeSample();
    const { metainfo } = sample;
    const payload = metainfo.files.filter((file) => !file.pad);
    assert.deepEqual(
      payload.map((file) => file.path),
      Object.keys(SAMPLE_FILES),
    );
    for (const file of payload) if (file.length > 0) assert.equal(file.offset % PIECE, 0, file.path);
    assert.equal(metainfo.files.at(-1)?.pad, false);
    assert.equal(metainfo.pieceLayers.size, 2);
    assert.ok(metainfo.infohashV1 && metainfo.infohashV2);
  });

  test('folders and files are sorted as the tree sorts them: "a.b" is behind "a/c" in a tree, before it as text', async () => {
    await using sample = await makeSample({ 'a/c': 5, 'a.b': 5 });
    assert.deepEqual(
      sample.metainfo.files.filter((file) => !file.pad).map((file) => file.path),
      ['a/c', 'a.b'],
    );
  });

  test('one file named like the torrent makes a single-file torrent', async () => {
    await using sample = await makeSample({ 'root.img': 3 * PIECE }, 'root.img');
    assert.equal(sample.metainfo.multiFile, false);
    assert.equal(sample.metainfo.files.length, 1);
  });

  test('hints stand outside of the infohash; no clock gets in unless it is given', async () => {
    await using sample = await makeSample({ a: 10 });
    const files = [{ path: 'a', source: join(sample.directory, 'a') }];
    const created = new Date('2026-01-31T12:00:00Z');
    const more = await createMetainfo({
      name: 'sample',
      pieceLength: PIECE,
      files,
      created,
      announce: ['http://t/a', 'udp://t:1'],
      urlList: ['http://w/'],
    });
    const parsed = parseMetainfo(more);
    assert.deepEqual(parsed.infohashV2, sample.metainfo.infohashV2);
    assert.deepEqual([parsed.announce, parsed.urlList], [['http://t/a', 'udp://t:1'], ['http://w/']]);
    assert.equal(
      (decodeBencode(more) as Map<string, unknown>).get('creation date'),
      created.getTime() / 1000,
    );
    assert.equal((decodeBencode(sample.torrent) as Map<string, unknown>).has('creation date'), false);
  });

  test('bad names, sizes and sources are refused', async () => {
    await using sample = await makeSample({ a: 10 });
    const source = join(sample.directory, 'a');
    const good = { name: 'x', pieceLength: PIECE, files: [{ path: 'a', source }] };
    await assert.rejects(createMetainfo({ ...good, name: '../x' }), { code: 'unsafe-path' });
    await assert.rejects(createMetainfo({ ...good, files: [{ path: '../a', source }] }), {
      code: 'unsafe-path',
    });
    await assert.rejects(createMetainfo({ ...good, files: [...good.files, { path: 'A', source }] }), {
      code: 'overlap',
    });
    await assert.rejects(createMetainfo({ ...good, files: [] }), { code: 'absurd-size' });
    for (const pieceLength of [0, 8192, 49152, 2 ** 27, 16384.5]) {
      await assert.rejects(createMetainfo({ ...good, pieceLength }), { code: 'absurd-size' });
    }
    await assert.rejects(createMetainfo({ ...good, files: [{ path: 'a', source: `${source}-not` }] }), {
      code: 'ENOENT',
    });
    await writeFile(source, '');
    await assert.rejects(createMetainfo(good), { code: 'absurd-size' });
  });

  test('can be stopped', async () => {
    await using sample = await makeSample({ a: 10 });
    const files = [{ path: 'a', source: join(sample.directory, 'a') }];
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(createMetainfo({ name: 'x', pieceLength: PIECE, files, signal }), /enough/);
  });
});
