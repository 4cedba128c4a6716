import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Catalog } from '../../../server/catalog/catalog.ts';
import { createKeyFiles, loadPublicKey } from '../../../server/catalog/keys.ts';
import { publishSmall } from '../published-image.ts';
import { temporaryFolder } from '../temporary-folder.ts';

function watched(folder: string) {
  const changes: string[][] = [];
  const problems: string[] = [];
  const catalog = new Catalog(join(folder, 'state'), loadPublicKey(join(folder, 'config')), {
    onChange: (current) =>
      changes.push([...current.values()].map(({ name, version }) => `${name}/${version}`)),
    onProblem: (error) => problems.push(error.message),
  });
  return { catalog, changes, problems };
}

test('follows the disk: a new version, a new image, an image that is gone', async () => {
  const folder = temporaryFolder('catalog');
  const nowMs = Date.UTC(2026, 0, 31);
  await publishSmall(folder, 'lab', { nowMs });
  const { catalog, changes, problems } = watched(folder);
  await catalog.scan();
  await catalog.scan();
  assert.deepEqual(changes, [['lab/20260131.1']], 'a scan that finds nothing new says nothing');
  await publishSmall(folder, 'lab', { nowMs });
  await publishSmall(folder, 'office', { nowMs });
  await catalog.scan();
  assert.deepEqual(changes.at(-1), ['lab/20260131.2', 'office/20260131.1']);
  assert.equal(
    (await catalog.find('lab', '20260131.1'))?.version,
    '20260131.1',
    'machines in the middle of it',
  );
  rmSync(join(folder, 'state/images/office'), { recursive: true });
  await catalog.scan();
  assert.deepEqual(changes.at(-1), ['lab/20260131.2']);
  assert.deepEqual(problems, []);
  for (const bad of ['..', 'current', 'files', 'nope'])
    assert.equal(await catalog.find('lab', bad), undefined);
  assert.equal(await catalog.find('../../config', 'x'), undefined);
});

test('a damaged release is told once, and the one before goes on', async () => {
  const folder = temporaryFolder('catalog');
  await publishSmall(folder, 'lab');
  const { catalog, problems } = watched(folder);
  await catalog.scan();
  const good = catalog.current.get('lab')?.version;
  const { directory } = await publishSmall(folder, 'lab');
  appendFileSync(join(directory, 'manifest.json'), ' ');
  await catalog.scan();
  await catalog.scan();
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /is not served: Signature does not fit the manifest/);
  assert.equal(catalog.current.get('lab')?.version, good);
});

test('a file of another length and a foreign key are found', async () => {
  const folder = temporaryFolder('catalog');
  const { directory, manifest } = await publishSmall(folder, 'lab');
  writeFileSync(join(directory, 'files', `lab-${manifest.version}`, 'vmlinuz'), 'short');
  const cut = watched(folder);
  await cut.catalog.scan();
  assert.match(cut.problems[0] ?? '', /vmlinuz has 5 bytes, not 70000/);
  createKeyFiles(join(folder, 'config'), true);
  const foreign = watched(folder);
  await foreign.catalog.scan();
  assert.match(foreign.problems[0] ?? '', /made by another key/);
});
