import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileOfRole, parseManifest } from '../../../contract/manifest.ts';
import { verifyBytes } from '../../../contract/signify.ts';
import { loadPublicKey } from '../../../server/catalog/keys.ts';
import { currentVersion, listVersions, pruneVersions } from '../../../server/catalog/release-folders.ts';
import { parseMetainfo } from '../../../torrent/index.ts';
import { payload, publishSmall } from '../published-image.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const noon = Date.UTC(2026, 0, 31, 12);

test('a release is signed, and manifest, metainfo and files agree', async () => {
  const folder = temporaryFolder('publish');
  const { directory, manifest } = await publishSmall(folder, 'lab', { nowMs: noon });
  assert.deepEqual(readdirSync(directory).sort(), [
    'files',
    'image.torrent',
    'manifest.json',
    'manifest.json.sig',
  ]);
  const bytes = readFileSync(join(directory, 'manifest.json'));
  verifyBytes(
    loadPublicKey(join(folder, 'config')),
    bytes,
    readFileSync(join(directory, 'manifest.json.sig'), 'utf8'),
  );
  assert.deepEqual(parseManifest(bytes), manifest);
  assert.deepEqual([manifest.created, manifest.expires], ['2026-01-31T12:00:00Z', '2026-05-01T12:00:00Z']);
  const metainfo = parseMetainfo(readFileSync(join(directory, 'image.torrent')));
  assert.equal(metainfo.name, 'lab-20260131.1');
  assert.equal(metainfo.infohashV2?.toString('hex'), manifest.torrent.infohashV2);
  assert.deepEqual(metainfo.announce, [], 'hints are added for each request, nothing is baked in');
  const root = fileOfRole(manifest, 'root');
  assert.equal(root.sha256, createHash('sha256').update(payload.root).digest('hex'));
  const inTorrent = metainfo.files.find((file) => file.path === 'root.squashfs');
  assert.equal((inTorrent?.offset ?? -1) % metainfo.pieceLength, 0, 'files begin at a piece');
});

test('versions count up, current follows, old ones are pruned but never the current', async () => {
  const folder = temporaryFolder('publish');
  const state = join(folder, 'state');
  for (let index = 0; index < 4; index++) await publishSmall(folder, 'lab', { nowMs: noon });
  assert.deepEqual(
    await listVersions(state, 'lab'),
    [1, 2, 3, 4].map((number) => `20260131.${number}`),
  );
  assert.equal(readlinkSync(join(state, 'images/lab/current')), '20260131.4');
  assert.deepEqual(await pruneVersions(state, 'lab', 2), ['20260131.1', '20260131.2']);
  assert.deepEqual(readdirSync(join(state, 'images/lab')).sort(), ['20260131.3', '20260131.4', 'current']);
  assert.equal(await currentVersion(state, 'lab'), '20260131.4');
});

test('a publish that fails leaves what was there', async () => {
  const folder = temporaryFolder('publish');
  await publishSmall(folder, 'lab', { nowMs: noon });
  const failing = publishSmall(folder, 'lab', {
    nowMs: noon,
    place: async (target) => {
      writeFileSync(join(target, 'vmlinuz'), 'half');
      throw new Error('disk full');
    },
  });
  await assert.rejects(failing, /disk full/);
  assert.deepEqual(readdirSync(join(folder, 'state/images/lab')).sort(), ['20260131.1', 'current']);
});

test('two publishes at once become two versions', async () => {
  const folder = temporaryFolder('publish');
  await publishSmall(folder, 'lab', { nowMs: noon });
  const both = await Promise.all([
    publishSmall(folder, 'lab', { nowMs: noon }),
    publishSmall(folder, 'lab', { nowMs: noon }),
  ]);
  assert.deepEqual(both.map(({ manifest }) => manifest.version).sort(), ['20260131.2', '20260131.3']);
  const current = (await currentVersion(join(folder, 'state'), 'lab')) ?? '';
  assert.ok(existsSync(join(folder, 'state/images/lab', current, 'manifest.json')));
});

test('what a publish that died has left is removed by a later one', async () => {
  const folder = temporaryFolder('publish');
  await publishSmall(folder, 'lab', { nowMs: noon });
  const dead = join(folder, 'state/images/lab/.new-dead');
  mkdirSync(dead);
  utimesSync(dead, noon / 1000 - 86_400, noon / 1000 - 86_400);
  await publishSmall(folder, 'lab', { nowMs: noon });
  assert.equal(existsSync(dead), false);
});
