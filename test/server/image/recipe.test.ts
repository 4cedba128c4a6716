import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../server/failure.ts';
import {
  checkImageOptions,
  type ImageOptions,
  mmdebstrapArguments,
  recipeKey,
} from '../../../server/image/recipe.ts';
import { systemFiles } from '../../../server/image/system-files.ts';

const good: ImageOptions = {
  ...{ arch: 'amd64', suite: 'trixie', hostname: 'lab', user: 'demo', password: 'demo' },
  include: ['vim-tiny', 'openssh-server'],
  size: 'full',
};

test('every option is part of the cache key; the order of packages is not', () => {
  const changes: Partial<ImageOptions>[] = [
    { arch: 'arm64' },
    { suite: 'bookworm' },
    { hostname: 'lab2' },
    { user: 'demo2' },
    { password: 'demo2' },
    { include: ['vim-tiny'] },
    { size: 'small' },
  ];
  const keys = [good, ...changes.map((change) => ({ ...good, ...change }))].map(recipeKey);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(recipeKey({ ...good, include: ['openssh-server', 'vim-tiny', 'vim-tiny'] }), keys[0]);
});

test('wrong options are refused by name', () => {
  checkImageOptions(good);
  const wrong: readonly [Partial<ImageOptions>, RegExp][] = [
    [{ suite: '--hook-dir=/tmp' }, /^--suite/],
    [{ hostname: 'a_b' }, /^--hostname/],
    [{ hostname: '-a' }, /^--hostname/],
    [{ user: 'a:b' }, /^--user/],
    [{ user: undefined }, /go together/],
    [{ password: 'a\nroot:x' }, /^--password/],
    [{ include: ['vim', 'a,b'] }, /^--include/],
    [{ include: ['?essential'] }, /^--include/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(
      () => checkImageOptions({ ...good, ...change }),
      (error: unknown) =>
        error instanceof Failure && error.code === 'bad-option' && message.test(error.message),
      JSON.stringify(change),
    );
  }
});

test('mmdebstrap names no mirror, and the system files know the host', () => {
  const args = mmdebstrapArguments(good, '/target');
  assert.deepEqual(args.slice(-2), ['trixie', '/target']);
  assert.ok(args.find((arg) => arg.startsWith('--include='))?.endsWith(',vim-tiny,openssh-server'));
  assert.ok(!args.some((arg) => arg.includes('http')));
  const files = systemFiles(good);
  assert.equal(files.find(({ path }) => path === 'etc/hostname')?.text, 'lab\n');
  assert.ok(
    files.every(
      ({ path, text, link }) => !path.startsWith('/') && (text === undefined) !== (link === undefined),
    ),
  );
});
