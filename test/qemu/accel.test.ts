import assert from 'node:assert/strict';
import { it } from 'node:test';
import { decideAccelerator, probeDisk } from '../../qemu/accel.ts';

it('obeys a choice, whatever KVM can do', () => {
  const hung = { works: false, reason: 'a guest hung under KVM for 5 s' } as const;
  assert.equal(decideAccelerator('kvm', hung).accelerator, 'kvm');
  assert.equal(decideAccelerator('tcg', { works: true, seconds: 0.2 }).accelerator, 'tcg');
});

it('takes KVM only if a guest booted, and says why not', () => {
  assert.equal(decideAccelerator('auto', { works: true, seconds: 0.2 }).accelerator, 'kvm');
  assert.deepEqual(decideAccelerator('auto', { works: false, reason: 'a guest hung under KVM for 5 s' }), {
    accelerator: 'tcg',
    reason: 'a guest hung under KVM for 5 s',
  });
  assert.equal(decideAccelerator('auto', undefined).accelerator, 'tcg');
});

it('makes a disk that a BIOS boots', () => {
  const disk = probeDisk();
  assert.equal(disk.readUInt16LE(510), 0xaa55);
  assert.ok(disk.length > 512, 'SeaBIOS does not read an AHCI disk of one sector');
});
