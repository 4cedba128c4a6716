import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseDemoArguments } from '../../qemu/demo.ts';

it('boots two BIOS machines unless told otherwise', () => {
  const options = parseDemoArguments([]);
  assert.equal(options.clients, 2);
  assert.equal(options.firmware, 'bios');
  assert.equal(options.accel, 'auto');
});

it('takes what the interface promises', () => {
  const text =
    '--clients 3 --image lab --accel tcg --report /tmp/r.json --firmware uefi --memory 2048 --timeout 60';
  const options = parseDemoArguments(text.split(' '));
  assert.deepEqual(
    [options.clients, options.image, options.accel, options.report, options.firmware, options.memoryMiB],
    [3, 'lab', 'tcg', '/tmp/r.json', 'uefi', 2048],
  );
  assert.equal(options.timeoutMs, 60_000);
});

for (const args of [
  '--clients 0',
  '--clients two',
  '--accel xen',
  '--firmware coreboot',
  '--memory 64',
  '--timeout 0',
])
  it(`refuses "${args}" with a sentence`, () => {
    assert.throws(() => parseDemoArguments(args.split(' ')), /takes/);
  });
