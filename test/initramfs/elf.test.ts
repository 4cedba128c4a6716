import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { ElfError, isElf, readElf, readModinfo } from '../../initramfs/elf.ts';
import { makeElf } from './make-elf.ts';

test('needed libraries and the dynamic linker are found', () => {
  const elf = makeElf({ needed: ['libm.so.6', 'libc.so.6'], interpreter: '/lib64/ld-linux-x86-64.so.2' });
  assert.deepEqual(readElf(elf), {
    needed: ['libm.so.6', 'libc.so.6'],
    interpreter: '/lib64/ld-linux-x86-64.so.2',
  });
  assert.deepEqual(readElf(makeElf({})), { needed: [], interpreter: undefined });
});

test('the node that runs this test names the C library and its linker', () => {
  const { needed, interpreter } = readElf(readFileSync(process.execPath));
  assert.ok(needed.includes('libc.so.6'), needed.join(' '));
  assert.match(interpreter ?? '', /\/ld-linux/);
});

test('modinfo pairs keep their order, and a name may come twice', () => {
  const pairs = ['alias=pci:v1', 'alias=pci:v2', 'depends=mii,libphy', 'parm=debug:Level (0=none)'];
  assert.deepEqual(readModinfo(makeElf({ modinfo: pairs })), [
    ['alias', 'pci:v1'],
    ['alias', 'pci:v2'],
    ['depends', 'mii,libphy'],
    ['parm', 'debug:Level (0=none)'],
  ]);
  assert.throws(() => readModinfo(makeElf({})), /no \.modinfo/);
});

test('what is not an ELF file of this kind is refused with a sentence', () => {
  assert.ok(!isElf(Buffer.from('#!/bin/sh\n')));
  assert.throws(() => readElf(Buffer.from('#!/bin/sh\n')), ElfError);
  const big = makeElf({ needed: ['libc.so.6'] });
  big[5] = 2;
  assert.throws(() => readElf(big), /not 64-bit little-endian/);
});

test('a truncated or damaged file never gives anything but an answer or an error', () => {
  const good = makeElf({ needed: ['libc.so.6'], interpreter: '/lib64/ld.so', modinfo: ['depends=a'] });
  for (let length = 0; length < good.length; length++)
    assert.throws(() => readElf(good.subarray(0, length)), `at length ${length}`);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
      const bytes = Buffer.from(good);
      bytes[at] = value;
      try {
        readElf(bytes);
        readModinfo(bytes);
      } catch (error) {
        assert.ok(error instanceof ElfError || error instanceof RangeError, String(error));
      }
    }),
  );
});
