/** What a system test leaves behind must go away, whether it passed or not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder that is removed when the test ends. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'swarmboot-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Closes it when the test ends; returns it. */
export function closing<T extends { close(): Promise<void> }>(t: TestContext, thing: T): T {
  t.after(() => thing.close());
  return thing;
}
