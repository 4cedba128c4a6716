/** The whole boot by each strategy, on the machine of paper of boot-lab.ts. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseTelemetry } from '../../contract/telemetry.ts';
import { readCpio } from '../contract/read-cpio.ts';
import { ALL_PHASES, endedPhases, lab } from './boot-lab.ts';

const MIB = 1024 ** 2;

test('a boot by pmem: seven phases, the image in place, one kexec', async (context) => {
  const { machine, console, served, engine, boot } = await lab(context, {
    cmdline: 'swarmboot.append=debug swarmboot.hostname=pc01',
  });
  assert.equal(await boot(), true);
  assert.deepEqual(endedPhases(console), ALL_PHASES);
  const root = readFileSync(join(served.folder, 'root.squashfs'));
  assert.deepEqual(readFileSync(join(machine.root, '/dev/pmem0')).subarray(0, root.length), root);
  const store = join(machine.root, '/run/swarmboot');
  assert.deepEqual(machine.callsOf('kexec'), [
    `-s -l ${store}/vmlinuz --initrd=${store}/initrd.img --command-line=console=ttyS0 boot=swarmboot ` +
      'swarmboot.root=pmem:/dev/pmem0 memmap=4M!0x28000000 root=tmpfs debug BOOTIF=01-52-54-00-aa-00-01 swarmboot.lease=10.77.0.50/24,10.77.0.1 swarmboot.hostname=pc01',
    '-e',
  ]);
  assert.deepEqual(readFileSync(join(store, 'vmlinuz')), readFileSync(join(served.folder, 'vmlinuz')));
  assert.equal(readFileSync(join(machine.root, '/proc/sys/vm/drop_caches'), 'utf8'), '1\n');
  assert.equal(engine.swarms[0]?.closed, 1);
  assert.ok(console.find(/^swarmboot: progress 100\.0% 1\.2 MiB of 1\.2 MiB, .* MiB\/s, 2 peers, ETA 0s$/));
  const { events, rejected } = parseTelemetry(served.server.bodies.join(''));
  assert.equal(rejected, 0);
  assert.deepEqual(
    events
      .filter((event) => event.event === 'phase-end')
      .map((event) => `${event.phase} ${event.ok ? 'ok' : 'failed'}`),
    ALL_PHASES,
  );
  const kinds = new Set(events.map((event) => event.event));
  for (const kind of ['machine', 'progress', 'handoff'] as const) assert.ok(kinds.has(kind), kind);
  const handoff = events.find((event) => event.event === 'handoff');
  assert.equal(handoff?.memoryPeakBytes, 2 ** 31 - 1000 * 2 ** 20, 'of 2 GiB, 1000 MiB were available');
});

test('a boot by retain: the image lies behind the initrd, on a page', async (context) => {
  const { machine, console, served, boot } = await lab(context, { pmem: false });
  assert.equal(await boot(), true);
  assert.deepEqual(endedPhases(console), ALL_PHASES);
  const load = machine.callsOf('kexec')[0] ?? '';
  assert.match(load, /swarmboot\.root=initrd:\d+ retain_initrd root=tmpfs BOOTIF=\S+ swarmboot\.lease=\S+$/);
  const offset = Number(/root=initrd:(\d+)/.exec(load)?.[1]);
  const file = readFileSync(/--initrd=(\S+)/.exec(load)?.[1] ?? '');
  const initrd = readFileSync(join(served.folder, 'initrd.img'));
  assert.deepEqual(file.subarray(0, initrd.length), initrd);
  // Behind the squashfs the kernel would look for no archive: what the seeder needs stands in front of it.
  const { members, length } = readCpio(file.subarray(Math.ceil(initrd.length / 4) * 4));
  assert.ok(members.some(({ path }) => path === 'swarmboot/seed/seed.json'));
  const behind = Math.ceil(initrd.length / 4) * 4 + length;
  assert.ok(file.subarray(behind, offset).every((byte) => byte === 0));
  assert.ok(file.subarray(offset).equals(readFileSync(join(served.folder, 'root.squashfs'))));
});

test('a boot by cpio: the initrd of the kexec is an archive that holds the image', async (context) => {
  const { machine, console, served, boot } = await lab(context, { cmdline: 'swarmboot.handoff=cpio' });
  assert.equal(await boot(), true);
  assert.deepEqual(endedPhases(console), ALL_PHASES);
  const load = machine.callsOf('kexec')[0] ?? '';
  assert.match(
    load,
    /swarmboot\.root=file:\/swarmboot\/root\.squashfs root=tmpfs BOOTIF=\S+ swarmboot\.lease=\S+$/,
  );
  const path = /--initrd=(\S+)/.exec(load)?.[1] ?? '';
  const file = readFileSync(path);
  const initrd = readFileSync(join(served.folder, 'initrd.img'));
  assert.deepEqual(file.subarray(0, initrd.length), initrd);
  const { members } = readCpio(file.subarray(Math.ceil(initrd.length / 4) * 4));
  assert.deepEqual(members[1]?.data, readFileSync(join(served.folder, 'root.squashfs')));
  // The tmpfs is as large as what goes into it, within 5 MiB.
  const size = Number(/size=(\d+)/.exec(machine.callsOf('mount')[0] ?? '')?.[1]);
  assert.ok(size > statSync(path).size && size < statSync(path).size + 6 * MIB);
});
