import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../../server/failure.ts';
import { readKernelImage } from '../../../server/image/kernel-image.ts';

function x86(version: string, flags = 1): Buffer {
  const head = Buffer.alloc(0x4000);
  head.write('HdrS', 0x202, 'latin1');
  head.writeUInt16LE(0x3000 - 0x200, 0x20e);
  head.writeUInt16LE(flags, 0x236);
  head.write(`${version} (debian-kernel@lists.debian.org) #1 SMP\0`, 0x3000, 'latin1');
  return head;
}

test('reads release and architecture', () => {
  assert.deepEqual(readKernelImage(x86('6.12.48+deb13-amd64'), 'k'), {
    arch: 'amd64',
    release: '6.12.48+deb13-amd64',
  });
  const arm64 = Buffer.alloc(128);
  arm64.write('ARM\x64', 56, 'latin1');
  assert.deepEqual(readKernelImage(arm64, 'k'), { arch: 'arm64', release: undefined });
});

test('refuses what is no 64-bit kernel', () => {
  assert.throws(() => readKernelImage(x86('6.1.0', 0), 'k'), /32-bit/);
  assert.throws(() => readKernelImage(Buffer.alloc(0), 'k'), /not a Linux kernel/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1024 }), (bytes) => {
      assert.throws(() => readKernelImage(Buffer.from(bytes), 'k'), Failure);
    }),
  );
  const outside = x86('6.1.0');
  outside.writeUInt16LE(0xffff, 0x20e); // version string beyond the end
  assert.equal(readKernelImage(outside, 'k').release, undefined);
});
