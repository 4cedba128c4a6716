/** What `image import` finds out about a squashfs, with squashfs files made for the purpose. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { readImageModules } from '../../server/image/modules.ts';
import { checkSquashfs, listSquashfs, readFromSquashfs } from '../../server/image/squashfs.ts';

const folder = mkdtempSync(join(tmpdir(), 'swarmboot-squashfs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const RELEASE = '6.12.48+deb13-amd64';
const NAMES = ['libnvdimm', 'nd_pmem', 'nd_e820', 'squashfs', 'overlay', 'loop'];

/** A squashfs whose modules hold their own names; `pack` compresses one and gives its suffix. */
function makeImage(
  name: string,
  modulesFolder: string,
  names: readonly string[],
  pack: (bytes: Buffer) => [Buffer, string],
): string {
  const source = join(folder, `${name}-root`);
  const modules = join(source, modulesFolder, RELEASE);
  mkdirSync(join(modules, 'kernel'), { recursive: true });
  const suffix = names.map((module) => {
    const [bytes, extension] = pack(Buffer.from(module));
    writeFileSync(join(modules, `kernel/${module}.ko${extension}`), bytes);
    return extension;
  })[0];
  const needs = (module: string) => (module.startsWith('nd_') ? ` kernel/libnvdimm.ko${suffix}` : '');
  writeFileSync(
    join(modules, 'modules.dep'),
    names.map((module) => `kernel/${module}.ko${suffix}:${needs(module)}\n`).join(''),
  );
  writeFileSync(join(modules, 'modules.builtin'), '');
  const image = join(folder, `${name}.squashfs`);
  execFileSync('mksquashfs', [source, image, '-noappend', '-no-progress', '-quiet'], {
    timeout: 60_000,
    stdio: 'pipe',
  });
  return image;
}

const plain = (bytes: Buffer): [Buffer, string] => [bytes, ''];
const xz = (bytes: Buffer): [Buffer, string] => [
  execFileSync('xz', ['-c'], { input: bytes, timeout: 10_000 }),
  '.xz',
];
const zst = (bytes: Buffer): [Buffer, string] => [zstdCompressSync(bytes), '.zst'];

test('modules are read from merged and unmerged /usr, however they are packed', async () => {
  for (const [index, [where, pack]] of (
    [
      ['usr/lib/modules', xz],
      ['lib/modules', plain],
      ['usr/lib/modules', zst],
    ] as const
  ).entries()) {
    const image = makeImage(`good${index}`, where, NAMES, pack);
    await checkSquashfs(image);
    const { release, modules, pmem } = await readImageModules(image, RELEASE, undefined);
    assert.deepEqual([release, pmem], [RELEASE, true]);
    assert.deepEqual(
      modules.map(({ name }) => name),
      NAMES,
    );
    for (const { name, bytes } of modules) assert.equal(Buffer.from(bytes).toString(), name, 'unpacked');
  }
});

test('without nd_e820 there is no pmem; without overlay there is no image', async () => {
  const noPmem = makeImage('no-pmem', 'usr/lib/modules', ['squashfs', 'overlay', 'loop'], plain);
  assert.equal((await readImageModules(noPmem, RELEASE, undefined)).pmem, false);
  const noOverlay = makeImage('no-overlay', 'usr/lib/modules', ['squashfs', 'loop'], plain);
  await assert.rejects(readImageModules(noOverlay, RELEASE, undefined), /lacks kernel modules .*: overlay$/);
});

test('a kernel of another release, and a root without modules, are refused', async () => {
  const image = makeImage('release', 'usr/lib/modules', NAMES, plain);
  await assert.rejects(
    readImageModules(image, '6.1.0-1-amd64', undefined),
    /The kernel is 6\.1\.0-1-amd64, but .* has modules for 6\.12\.48/,
  );
  assert.equal(
    (await readImageModules(image, undefined, undefined)).release,
    RELEASE,
    'arm64 kernels do not tell',
  );
  const source = join(folder, 'plain');
  mkdirSync(source);
  writeFileSync(join(source, 'hello'), 'x');
  const empty = join(folder, 'plain.squashfs');
  execFileSync('mksquashfs', [source, empty, '-quiet', '-no-progress'], { timeout: 60_000, stdio: 'pipe' });
  await assert.rejects(readImageModules(empty, RELEASE, undefined), /has no kernel modules/);
  assert.deepEqual(await listSquashfs(empty, 'usr', undefined), []);
  assert.equal(String(await readFromSquashfs(empty, 'hello', undefined)), 'x');
});

test('what is no squashfs, or is cut off, is refused', async () => {
  const whole = makeImage('cut', 'usr/lib/modules', NAMES, plain);
  truncateSync(whole, readFileSync(whole).readBigUInt64LE(40) > 200n ? 200 : 96);
  await assert.rejects(checkSquashfs(whole), /is cut off/);
  await assert.rejects(checkSquashfs('/bin/true'), /is not a squashfs/);
  await assert.rejects(checkSquashfs(join(folder, 'missing')), /Cannot read/);
});
