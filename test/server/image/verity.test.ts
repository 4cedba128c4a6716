import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sealRoot } from '../../../server/image/verity.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const BLOCK = 4096;

/** The same tree, by its definition (admin-guide/device-mapper/verity.rst): the root hash, and all blocks of hashes. */
function treeOf(data: Buffer): { rootHash: string; blocks: Buffer } {
  const levels: Buffer[] = [];
  let level = data;
  do {
    const hashes: Buffer[] = [];
    for (let at = 0; at < level.length; at += BLOCK)
      hashes.push(hash('sha256', level.subarray(at, at + BLOCK), 'buffer'));
    const packed = Buffer.concat(hashes);
    level = Buffer.concat([packed, Buffer.alloc(-packed.length & (BLOCK - 1))]);
    levels.unshift(level);
  } while (level.length > BLOCK);
  return { rootHash: hash('sha256', level), blocks: Buffer.concat(levels) };
}

test('the tree stands behind the root, whose last block is filled up', async () => {
  const path = join(temporaryFolder('verity'), 'root');
  const root = Buffer.alloc(200 * BLOCK - 1000, 'squashfs');
  for (let block = 0; block < 200; block++) root.writeUInt32LE(block, block * BLOCK);
  writeFileSync(path, root);
  const verity = await sealRoot(path, root.length, undefined);
  const data = Buffer.concat([root, Buffer.alloc(1000)]);
  const tree = treeOf(data);
  assert.deepEqual(verity, { rootHash: tree.rootHash, dataBlocks: 200 });
  const sealed = Buffer.concat([data, tree.blocks]);
  assert.deepEqual(readFileSync(path), sealed);
  assert.deepEqual(
    await sealRoot(path, root.length, undefined),
    verity,
    'who is sealed twice is as sealed once',
  );
  assert.deepEqual(readFileSync(path), sealed);
});

test("cryptsetup's own check takes it, and sees a changed byte", async () => {
  const path = join(temporaryFolder('verity'), 'root');
  writeFileSync(path, Buffer.alloc(300 * BLOCK, 7));
  const { rootHash, dataBlocks } = await sealRoot(path, 300 * BLOCK, undefined);
  const check = () =>
    spawnSync(
      '/usr/sbin/veritysetup',
      [
        ...['verify', '--no-superblock', '--salt=-', `--data-blocks=${dataBlocks}`],
        ...[`--hash-offset=${dataBlocks * BLOCK}`, path, path, rootHash],
      ],
      { timeout: 30_000 },
    ).status;
  assert.equal(check(), 0);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.of(8), 0, 1, 250 * BLOCK + 17);
  closeSync(file);
  assert.notEqual(check(), 0);
});

test('a file that is not there is a failure with its name', async () => {
  await assert.rejects(sealRoot('/nowhere/root', BLOCK, undefined), /nowhere/);
});
