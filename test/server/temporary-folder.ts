/** A folder for one test file, removed when its tests have ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `swarmboot-${name}-`));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
