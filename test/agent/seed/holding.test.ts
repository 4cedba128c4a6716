import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdingOf } from '../../../agent/seed/holding.ts';
import { makeRelease, PIECE_BYTES } from '../release-fixture.ts';

const place = (path: string, offset = 0) => ({ path, source: '/dev/pmem0', offset });

test('every file is here: the whole, each segment at its place', async (t) => {
  const { metainfo } = await makeRelease(t);
  const files = [place('root.squashfs'), place('vmlinuz', 2_000_000), place('initrd.img', 3_000_000)];
  const { isWhole, pieces, segments } = holdingOf(metainfo, files);
  assert.ok(isWhole);
  assert.equal(pieces.length, metainfo.pieceCount);
  for (const [index, { offset, length, path, pathOffset }] of segments.entries()) {
    const file = metainfo.files[index]!;
    assert.deepEqual([offset, length], [file.offset, file.length]);
    assert.equal(path, file.pad ? undefined : '/dev/pmem0');
    if (file.path === 'initrd.img') assert.equal(pathOffset, 3_000_000);
  }
});

test('the root alone: exactly its pieces, none that touches another file', async (t) => {
  const { metainfo } = await makeRelease(t);
  const { isWhole, pieces } = holdingOf(metainfo, [place('root.squashfs')]);
  assert.ok(!isWhole);
  const root = metainfo.files.find(({ path }) => path === 'root.squashfs')!;
  const first = root.offset / PIECE_BYTES;
  assert.ok(Number.isInteger(first), 'BEP 47 pads make the root begin on a piece');
  const count = Math.ceil(root.length / PIECE_BYTES);
  assert.deepEqual(
    pieces,
    Array.from({ length: count }, (_, index) => first + index),
  );
});

test('nothing is here: no pieces', async (t) => {
  const { metainfo } = await makeRelease(t);
  assert.deepEqual(holdingOf(metainfo, [place('elsewhere')]).pieces, []);
});
