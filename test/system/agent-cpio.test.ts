/** The kexec initrd of the `cpio` strategy, read by the real cpio(1). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cpioLayout } from '../../agent/handoff/cpio-layout.ts';

test('cpio(1) lists and unpacks the image behind an initrd of any length', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'swarmboot-cpio-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [initrdBytes, rootBytes] of [
    [1, 1],
    [4, 4096],
    [1023, 99_999],
  ] as const) {
    const layout = cpioLayout(initrdBytes, rootBytes);
    assert.ok(layout);
    const root = Buffer.alloc(rootBytes, 0x73);
    const file = Buffer.alloc(layout.lengthBytes);
    for (const { offset, bytes } of layout.literals) bytes.copy(file, offset);
    root.copy(file, layout.rootOffset);
    // The kernel skips the zeros between two archives; cpio(1) wants to begin at the header.
    const archive = file.subarray(Math.ceil(initrdBytes / 4) * 4);
    const cpio = (...args: string[]): string =>
      execFileSync('cpio', ['--quiet', ...args], { input: archive, encoding: 'utf8', cwd: folder });
    assert.equal(cpio('-t'), 'swarmboot\nswarmboot/root.squashfs\n');
    cpio('-i', '-u', '-m', '--no-absolute-filenames');
    const unpacked = join(folder, 'swarmboot/root.squashfs');
    assert.deepEqual(readFileSync(unpacked), root);
    assert.equal(statSync(unpacked).mode & 0o777, 0o444);
  }
});
