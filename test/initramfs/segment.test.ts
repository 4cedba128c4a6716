import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { compressSegment, SEGMENTS_KEPT } from '../../initramfs/segment.ts';

const LEVEL = 1;
const archive = Buffer.from('0707'.repeat(1000));

test('a part is compressed once, kept, and ends on a multiple of four', async (t) => {
  const cache = await mkdtemp(join(tmpdir(), 'swarmboot-segment-'));
  t.after(() => rm(cache, { recursive: true, force: true }));
  const first = await compressSegment(archive, cache, LEVEL);
  assert.equal(first.length % 4, 0);
  const [name, ...others] = await readdir(cache);
  assert.ok(name && others.length === 0);
  const kept = await readFile(join(cache, name));
  assert.ok(zstdDecompressSync(kept).equals(archive));
  assert.ok(first.subarray(0, kept.length).equals(kept));
  assert.ok(first.subarray(kept.length).every((byte) => byte === 0));

  assert.ok((await compressSegment(archive, cache, LEVEL)).equals(first));
  await compressSegment(Buffer.from('another archive'), cache, LEVEL);
  assert.equal((await readdir(cache)).length, 2);
});

test('a damaged cache is not believed', async (t) => {
  const cache = await mkdtemp(join(tmpdir(), 'swarmboot-segment-'));
  t.after(() => rm(cache, { recursive: true, force: true }));
  const good = await compressSegment(archive, cache, LEVEL);
  const [name] = await readdir(cache);
  assert.ok(name);
  const kept = await readFile(join(cache, name));
  for (const damaged of [kept.subarray(0, 10), Buffer.alloc(0), Buffer.from('no zstd at all')]) {
    await writeFile(join(cache, name), damaged);
    assert.ok((await compressSegment(archive, cache, LEVEL)).equals(good));
    assert.ok((await readFile(join(cache, name))).equals(kept), 'the damaged file was not replaced');
  }
});

test('the cache does not grow without end, and what was used last stays', async (t) => {
  const cache = await mkdtemp(join(tmpdir(), 'swarmboot-segment-'));
  t.after(() => rm(cache, { recursive: true, force: true }));
  await compressSegment(archive, cache, LEVEL);
  const [favourite] = await readdir(cache);
  assert.ok(favourite);
  const longAgo = new Date(2000, 0);
  for (let index = 0; index < SEGMENTS_KEPT + 3; index++) {
    await compressSegment(Buffer.from(`archive ${index}`), cache, LEVEL);
    for (const name of await readdir(cache)) await utimes(join(cache, name), longAgo, longAgo);
    await compressSegment(archive, cache, LEVEL);
  }
  const names = await readdir(cache);
  assert.equal(names.length, SEGMENTS_KEPT);
  assert.ok(names.includes(favourite));
});
