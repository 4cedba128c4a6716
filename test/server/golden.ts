/** Compares a text with test/server/golden/NAME; SWARMBOOT_UPDATE_GOLDEN=1 writes the file instead. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function assertGolden(name: string, text: string): void {
  const path = join(import.meta.dirname, 'golden', name);
  if (process.env.SWARMBOOT_UPDATE_GOLDEN === '1') writeFileSync(path, text);
  assert.equal(text, readFileSync(path, 'utf8'), `differs from ${path}`);
}
