import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kexecFileLoad } from '../../agent/kexec-file-load.ts';

test('what the kernel refuses is told in its own words, and what is not there too', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kexec-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'not-a-kernel');
  writeFileSync(path, 'no kernel, whatever happens');
  const refused = kexecFileLoad(path, path, 'quiet');
  assert.equal(refused.status, 1);
  // Not allowed, not there (a container), or no kernel: never a success, and never a text that errno is not behind.
  assert.match(
    refused.output,
    /^kexec_file_load failed: (?:Operation not permitted|Function not implemented|Exec format error|Permission denied|Bad file descriptor|Invalid argument)$/,
  );
  const missing = kexecFileLoad(join(folder, 'missing'), path, '');
  assert.deepEqual([missing.status, /failed: ENOENT/.test(missing.output)], [1, true]);
});
