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
    const error = kexecRefusal(`kexec_file_load failed: ${said}`, 'lab 1', 'pmem', 'amd64');
    assert.equal(error.code, 'kernel-untrusted', said);
    assert.match(error.message, new RegExp(`^The kernel of "lab 1" is refused \\(kexec: ${said}\\): `));
    assert.match(error.hint ?? '', /signed kernel.*Secure Boot/);
    assert.equal(error.retriable, 'no');
  }
  const memory = kexecRefusal('kexec_file_load failed: Cannot allocate memory', 'lab 1', 'cpio', 'amd64');
  assert.equal(memory.code, 'kexec-refused');
  assert.match(memory.message, /\(cpio\): kexec_file_load failed: Cannot allocate memory$/);
});

test('an ARM64 kernel that is locked down starts no other, signed or not', () => {
  for (const said of ['Permission denied', 'Operation not permitted']) {
    const error = kexecRefusal(`kexec_load failed: ${said}`, 'lab 1', 'cpio', 'arm64');
    assert.equal(error.code, 'kernel-untrusted');
    assert.match(error.message, /ARM64 kernel.*is locked down/);
    assert.match(error.hint ?? '', /Switch Secure Boot off/);
  }
  assert.equal(
    kexecRefusal('kexec_load failed: Bad address', 'lab 1', 'cpio', 'arm64').code,
    'kexec-refused',
  );
});
