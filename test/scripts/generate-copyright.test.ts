import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  bundledPackages,
  copyrightLine,
  describePackage,
  renderCopyright,
} from '../../scripts/generate-copyright.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'swarmboot-copyright-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const madeUp = (name: string, json: object, licence?: string): string => {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'package.json'), JSON.stringify(json));
  if (licence !== undefined) writeFileSync(join(folder, name, 'LICENSE.md'), licence);
  return join(folder, name);
};

test('debian/copyright is what the bundles hold now', async () => {
  const licences = new Map(
    readdirSync(join(root, 'debian/licences')).map((name) => [
      name,
      readFileSync(join(root, 'debian/licences', name), 'utf8'),
    ]),
  );
  const names = await bundledPackages();
  assert.ok(names.includes('fastify') && names.includes('bittorrent-protocol'), names.join());
  const packages = names.map((name) => describePackage(join(root, 'node_modules', name), name));
  assert.equal(
    readFileSync(join(root, 'debian/copyright'), 'utf8'),
    renderCopyright(packages, licences),
    'run node scripts/generate-copyright.ts',
  );
});

test('holders are read from licence texts, not the licence itself', () => {
  assert.equal(copyrightLine('Copyright (c) 2013 Somebody'), '2013 Somebody');
  assert.equal(copyrightLine('  * Copyright © Somebody <a@b.c>. All rights reserved.'), 'Somebody <a@b.c>.');
  assert.equal(copyrightLine('The above copyright notice and this permission notice shall'), undefined);
  assert.equal(copyrightLine('copyright notice, this list of conditions and'), undefined);
});

test('without a licence text the author is named; an unknown licence stops the build', () => {
  assert.deepEqual(
    describePackage(madeUp('plain', { license: 'MIT', author: 'A. Author <a@b.c>' }), 'plain').copyright,
    ['A. Author'],
  );
  const shared = madeUp('shared', { license: 'ISC' }, '(c)\nCopyright (c) 2020 X\nCopyright (c) 2020 X\n');
  assert.deepEqual(describePackage(shared, 'shared').copyright, ['2020 X']);
  assert.throws(
    () => describePackage(madeUp('odd', { license: 'SEE LICENSE' }), 'odd'),
    /"odd" has the licence/,
  );
});
