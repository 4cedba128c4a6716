import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type MachinePlan, machineArguments } from '../../qemu/machine-arguments.ts';

const PLAN: MachinePlan = {
  name: 'machine1',
  arch: 'amd64',
  accelerator: 'tcg',
  firmware: 'bios',
  memoryMiB: 1280,
  cpus: 1,
  mac: '52:54:00:77:00:01',
  tap: 'tap0',
  nic: 'virtio-net-pci',
};

/** The values that follow each use of `option`. */
const valuesOf = (args: readonly string[], option: string) =>
  args.flatMap((arg, index) => (arg === option ? [args[index + 1]] : []));

it('boots a BIOS machine from its network card, firmware on the serial port, and ends it on a reset', () => {
  const args = machineArguments(PLAN);
  assert.deepEqual(valuesOf(args, '-machine'), ['q35,graphics=off']);
  assert.deepEqual(valuesOf(args, '-accel'), ['tcg,thread=multi']);
  assert.deepEqual(valuesOf(args, '-m'), ['1280']);
  assert.ok(args.includes('-no-reboot') && args.includes('-nodefaults'));
  assert.deepEqual(valuesOf(args, '-netdev'), ['tap,id=net0,ifname=tap0,script=no,downscript=no']);
  assert.ok(
    valuesOf(args, '-device').includes('virtio-net-pci,netdev=net0,mac=52:54:00:77:00:01,bootindex=1'),
  );
  assert.deepEqual(valuesOf(args, '-drive'), []);
});

it("boots a UEFI machine by the firmware's own PXE, with variables of its own", () => {
  const args = machineArguments({ ...PLAN, firmware: 'uefi', uefiVariables: '/tmp/x.vars' });
  assert.ok(valuesOf(args, '-device').some((device) => device?.endsWith(',romfile=,bootindex=1')));
  assert.deepEqual(valuesOf(args, '-drive'), [
    'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd',
    'if=pflash,unit=1,format=raw,file=/tmp/x.vars',
  ]);
  assert.throws(() => machineArguments({ ...PLAN, firmware: 'uefi' }), /needs its variables/);
});

it("boots with Secure Boot: Microsoft's keys, variables that only the firmware may write", () => {
  const args = machineArguments({ ...PLAN, firmware: 'secureboot', uefiVariables: '/tmp/x.vars' });
  assert.deepEqual(valuesOf(args, '-machine'), ['q35,graphics=off', 'smm=on']);
  assert.deepEqual(valuesOf(args, '-global'), ['driver=cfi.pflash01,property=secure,value=on']);
  assert.match(valuesOf(args, '-drive')[0] ?? '', /OVMF_CODE_4M\.secboot\.fd$/);
});

it('boots by HTTP Boot: a firmware that has no PXE', () => {
  const args = machineArguments({ ...PLAN, firmware: 'uefi', uefiVariables: '/tmp/x.vars', httpBoot: true });
  assert.deepEqual(valuesOf(args, '-fw_cfg'), [
    'name=opt/org.tianocore/IPv4PXESupport,string=n',
    'name=opt/org.tianocore/IPv6PXESupport,string=n',
  ]);
});

it('has its RAM in two pieces where that is wanted', () => {
  assert.deepEqual(valuesOf(machineArguments({ ...PLAN, lowMemoryMiB: 420 }), '-machine'), [
    'q35,graphics=off',
    'max-ram-below-4g=420M',
  ]);
});

it('boots a kernel directly', () => {
  const args = machineArguments({ ...PLAN, direct: { kernel: '/k', initrd: '/i', cmdline: 'a b' } });
  assert.deepEqual(valuesOf(args, '-kernel'), ['/k']);
  assert.deepEqual(valuesOf(args, '-initrd'), ['/i']);
  assert.deepEqual(valuesOf(args, '-append'), ['a b']);
});

it('uses KVM when told', () => {
  assert.deepEqual(valuesOf(machineArguments({ ...PLAN, accelerator: 'kvm' }), '-accel'), ['kvm']);
});

it('boots an ARM64 machine by its UEFI, which needs no system management mode', () => {
  const plan = { ...PLAN, arch: 'arm64', uefiVariables: '/tmp/x.vars' } as const;
  const args = machineArguments({ ...plan, firmware: 'uefi' });
  assert.deepEqual(valuesOf(args, '-machine'), ['virt']);
  assert.deepEqual(valuesOf(args, '-drive'), [
    'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd',
    'if=pflash,unit=1,format=raw,file=/tmp/x.vars',
  ]);
  const secure = machineArguments({ ...plan, firmware: 'secureboot' });
  assert.deepEqual(valuesOf(secure, '-global'), []);
  assert.match(valuesOf(secure, '-drive')[0] ?? '', /AAVMF_CODE\.ms\.fd$/);
});

it('has a graphics card only where somebody looks at it', () => {
  assert.ok(!valuesOf(machineArguments(PLAN), '-device').includes('VGA'));
  const args = machineArguments({ ...PLAN, screenSocket: '/tmp/x.screen' });
  assert.ok(valuesOf(args, '-device').includes('VGA'));
  assert.deepEqual(valuesOf(args, '-qmp'), ['unix:/tmp/x.screen,server=on,wait=off']);
});
