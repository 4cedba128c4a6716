import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kexecRefusal } from '../../../agent/handoff/kexec-refusal.ts';

test('a signature that does not count is told from everything else', () => {
  for (const said of [
    'Key was rejected by service',
    'Required key not available',
    'No data available',
    'Operation not permitted',
  ]) {
    const error = kexecRefusal(`kexec_file_load failed: ${said}`, 'lab 1', 'pmem');
    assert.equal(error.code, 'kernel-untrusted', said);
    assert.match(error.message, new RegExp(`^The kernel of "lab 1" is refused \\(kexec: ${said}\\): `));
    assert.match(error.hint ?? '', /signed kernel.*Secure Boot/);
    assert.equal(error.retriable, 'no');
  }
  const memory = kexecRefusal('kexec_file_load failed: Cannot allocate memory', 'lab 1', 'cpio');
  assert.equal(memory.code, 'kexec-refused');
  assert.match(memory.message, /\(cpio\): kexec_file_load failed: Cannot allocate memory$/);
});
