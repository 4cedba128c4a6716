import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { appendArchive, copyToDevice, stateArchive } from '../../../agent/handoff/leave-state.ts';
import { parseHandover } from '../../../contract/handover.ts';
import { goodHandover } from '../../contract/fixtures.ts';
import { readCpio } from '../../contract/read-cpio.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'swarmboot-state-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('the archive holds the five files, and lies on a boundary behind the initrd', async (t) => {
  const initrd = join(folder(t), 'initrd.img');
  writeFileSync(initrd, Buffer.alloc(1001, 7));
  const signed = { manifest: Buffer.from('{}'), signature: 'sig\n', metainfo: Buffer.from([1, 0, 2]) };
  await appendArchive(initrd, stateArchive(goodHandover, signed, 'key\n'));
  const all = readFileSync(initrd);
  assert.ok(all.subarray(0, 1001).equals(Buffer.alloc(1001, 7)));
  assert.deepEqual([...all.subarray(1001, 1004)], [0, 0, 0]);
  const entries = readCpio(all.subarray(1004)).members.filter(({ data }) => data.length > 0);
  const text = new Map(entries.map(({ path, data }) => [path, data.toString('latin1')]));
  assert.deepEqual([...text.keys()].sort(), [
    'swarmboot/seed/image.torrent',
    'swarmboot/seed/manifest.json',
    'swarmboot/seed/manifest.json.sig',
    'swarmboot/seed/release.pub',
    'swarmboot/seed/seed.json',
  ]);
  assert.equal(text.get('swarmboot/seed/image.torrent'), '\x01\x00\x02');
  assert.deepEqual(parseHandover(text.get('swarmboot/seed/seed.json')!), goodHandover);
});

test('a copy lands at its offset and leaves the rest alone; one that ends early is an error', async (t) => {
  const path = folder(t);
  const source = join(path, 'source');
  const device = join(path, 'device');
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 251));
  writeFileSync(source, bytes);
  writeFileSync(device, Buffer.alloc(5_000_000, 0xee));
  const { signal } = new AbortController();
  await copyToDevice({ path: source, length: 2_500_000 }, { device, offset: 1_000_000 }, signal);
  const all = readFileSync(device);
  assert.ok(all.subarray(1_000_000, 3_500_000).equals(bytes.subarray(0, 2_500_000)));
  assert.ok(all.subarray(0, 1_000_000).every((byte) => byte === 0xee));
  assert.ok(all.subarray(3_500_000).every((byte) => byte === 0xee));
  await assert.rejects(
    copyToDevice({ path: source, length: 3_000_001 }, { device, offset: 0 }, signal),
    /ends at byte 3000000, not 3000001/,
  );
});
