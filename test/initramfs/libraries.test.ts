import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLibraries } from '../../initramfs/libraries.ts';
import { makeElf } from './make-elf.ts';

const LINKER = '/lib64/ld-linux-x86-64.so.2';
const DIRECTORY = 'lib/x86_64-linux-gnu';
const libraries = new Map([
  ['ld-linux-x86-64.so.2', makeElf({})],
  ['libc.so.6', makeElf({ needed: ['ld-linux-x86-64.so.2'] })],
  ['libm.so.6', makeElf({ needed: ['libc.so.6'] })],
  ['libwide.so.1', makeElf({ needed: ['libm.so.6', 'libdeep.so.1'] })],
  ['libdeep.so.1', makeElf({ needed: ['libwide.so.1'] })], // a circle
]);
const tree = { library: (name: string) => libraries.get(name) };

test('libraries are followed as deep as they go, circles included', () => {
  const programs = new Map([['bin/tool', makeElf({ needed: ['libwide.so.1'], interpreter: LINKER })]]);
  const { files, missing } = resolveLibraries(programs, tree, DIRECTORY);
  assert.deepEqual(missing, []);
  assert.deepEqual([...files.keys()].sort(), [
    // Named once as the linker and once as a library, and looked for in both places.
    `${DIRECTORY}/ld-linux-x86-64.so.2`,
    `${DIRECTORY}/libc.so.6`,
    `${DIRECTORY}/libdeep.so.1`,
    `${DIRECTORY}/libm.so.6`,
    `${DIRECTORY}/libwide.so.1`,
    'lib64/ld-linux-x86-64.so.2',
  ]);
});

test('a static program needs nothing', () => {
  assert.equal(resolveLibraries(new Map([['bin/busybox', makeElf({})]]), tree, DIRECTORY).files.size, 0);
});

test('a missing library and who needs it are named', () => {
  libraries.set('libbroken.so.1', makeElf({ needed: ['libgone.so.2'] }));
  const programs = new Map([['bin/tool', makeElf({ needed: ['libbroken.so.1'], interpreter: LINKER })]]);
  assert.deepEqual(resolveLibraries(programs, tree, DIRECTORY).missing, [
    `${DIRECTORY}/libbroken.so.1 needs the library "libgone.so.2", which the Debian packages of stage-1 do not have`,
  ]);
});
