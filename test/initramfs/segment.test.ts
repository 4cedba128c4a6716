import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { compressSegment } from '../../initramfs/segment.ts';

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
