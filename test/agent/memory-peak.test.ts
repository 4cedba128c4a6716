/** The most that a machine needed is its RAM less the least that was available, also between two questions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchMemory } from '../../agent/memory-peak.ts';
import { type FakeMachine, fakeMachine } from './fakes.ts';

const MIB = 2 ** 20;

const offer = (machine: FakeMachine, availableMib: number): void =>
  machine.file('/proc/meminfo', `MemTotal: ${1000 * 1024} kB\nMemAvailable: ${availableMib * 1024} kB\n`);

test('the peak counts from all RAM that the firmware tells of, and stays', async (t) => {
  const machine = fakeMachine(t);
  machine.file('/sys/firmware/memmap/0/start', '0x0\n');
  machine.file('/sys/firmware/memmap/0/end', '0x7fffffff\n');
  machine.file('/sys/firmware/memmap/0/type', 'System RAM\n');
  offer(machine, 900);
  const peak = watchMemory(machine);
  t.after(() => peak.stop());
  assert.equal(peak.now(), (2048 - 900) * MIB);
  offer(machine, 300);
  await new Promise((resolve) => setTimeout(resolve, 600));
  offer(machine, 800);
  assert.equal(peak.now(), (2048 - 300) * MIB);
});

test('a firmware without a map: what the kernel has; no /proc: nothing', (t) => {
  const machine = fakeMachine(t);
  const blind = watchMemory(machine);
  t.after(() => blind.stop());
  assert.equal(blind.now(), undefined);
  offer(machine, 400);
  const peak = watchMemory(machine);
  t.after(() => peak.stop());
  assert.equal(peak.now(), 600 * MIB);
});
