import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSystemRam, systemRam, systemRamBytes } from '../../../agent/handoff/memory-map.ts';
import { parseMeminfo, readFirmwareMap, readPmemRegions } from '../../../agent/handoff/probe.ts';
import { type FakeMachine, fakeMachine } from '../fakes.ts';

function pmem(machine: FakeMachine, index: number, holder: string, resource: string, sectors: number): void {
  const bus = `/sys/devices/platform/e820_pmem/ndbus0/region${index}`;
  machine.link(`/sys/block/pmem${index}`, `${bus}/${holder}/block/pmem${index}`);
  machine.link(`/sys/bus/nd/devices/region${index}`, bus);
  machine.file(`${bus}/resource`, `${resource}\n`);
  machine.file(`${bus}/size`, `${sectors * 512}\n`);
  machine.file(`${bus}/${holder}/block/pmem${index}/size`, `${sectors}\n`);
}

test('pmem devices are found with the address of their region', (context) => {
  const machine = fakeMachine(context);
  pmem(machine, 0, 'namespace0.0', '0x28000000', 819200);
  pmem(machine, 1, 'pfn1.0', '0x100000000', 819200);
  machine.file('/sys/block/sda/size', '1000\n');
  assert.deepEqual(readPmemRegions(machine), [
    { device: '/dev/pmem0', start: 0x28000000, lengthBytes: 419430400 },
  ]);
  assert.deepEqual(readPmemRegions(fakeMachine(context)), []);
});

test('the firmware map is read, joined, and asked', (context) => {
  const machine = fakeMachine(context);
  for (const [index, start, end, type] of [
    [0, '0x0', '0x9fbff', 'System RAM'],
    [1, '0x100000', '0x7fffff', 'System RAM'],
    [10, '0x800000', '0xffffff', 'System RAM'],
    [2, '0xf0000', '0xfffff', 'Reserved'],
  ] as const) {
    machine.file(`/sys/firmware/memmap/${index}/start`, `${start}\n`);
    machine.file(`/sys/firmware/memmap/${index}/end`, `${end}\n`);
    machine.file(`/sys/firmware/memmap/${index}/type`, `${type}\n`);
  }
  const map = readFirmwareMap(machine);
  assert.equal(map.length, 4);
  assert.equal(systemRam(map).length, 2);
  assert.equal(systemRamBytes(map), 0x9fc00 + 0xf00000);
  assert.equal(isSystemRam(map, 0x700000, 0x200000), true);
  assert.equal(isSystemRam(map, 0x100000, 0xf00000), true);
  assert.equal(isSystemRam(map, 0x100000, 0xf00001), false);
  assert.equal(isSystemRam(map, 0x90000, 0x80000), false);
});

test('meminfo is read in bytes, and refused when it tells nothing', () => {
  assert.deepEqual(parseMeminfo('MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:     800 kB\n'), {
    totalBytes: 1_024_000,
    availableBytes: 819_200,
  });
  assert.throws(() => parseMeminfo('MemTotal: 1000 kB\n'), { code: 'meminfo', message: /MemAvailable/ });
});
