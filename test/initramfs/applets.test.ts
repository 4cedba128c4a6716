import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { appletsOf } from '../../initramfs/applets.ts';

test('the table says what --list says', (t) => {
  const busybox = ['/usr/bin/busybox', '/bin/busybox'].find((path) => {
    try {
      return readFileSync(path).length > 0;
    } catch {
      return false;
    }
  });
  if (busybox === undefined) return t.skip('no busybox here');
  const listed = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  assert.deepEqual(appletsOf(readFileSync(busybox)), listed);
});

test('a file without the table is refused', () => {
  for (const text of ['', 'no table', '\0[\0[[\0', '\0[\0[[\0a b\0\0']) {
    assert.throws(() => appletsOf(Buffer.from(text, 'latin1')), /no table of their names/);
  }
});
