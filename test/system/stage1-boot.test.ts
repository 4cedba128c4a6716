/** Boots stage-1 in QEMU with a probe in the agent's place, and reads on the console what the probe found. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildStage1 } from '../../initramfs/stage1.ts';
import { buildAgent } from '../../scripts/build-agent.ts';
import { type BootResult, bootMachine, debianPackages, newPublicKey } from './stage1-machine.ts';

const DEADLINE_MS = 120_000;
const publicKey = newPublicKey();

describe('stage-1 in a machine with virtio, e1000e and USB network adapters', { timeout: 300_000 }, () => {
  let folder: string;
  let result: BootResult;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmboot-stage1-boot-'));
    const agent = join(folder, 'swarmboot-agent');
    await buildAgent({ entry: join(import.meta.dirname, 'stage1-probe.ts'), output: agent });
    const stage1 = await buildStage1({
      architecture: 'amd64',
      packages: await debianPackages(),
      agent: await readFile(agent),
      publicKey,
      cache: join(folder, 'cache'),
      level: 1,
      limitBytes: 256 * 2 ** 20,
    });
    await writeFile(join(folder, 'vmlinuz'), stage1.vmlinuz);
    await writeFile(join(folder, 'initrd.img'), stage1.initrd);
    result = await bootMachine({
      kernel: join(folder, 'vmlinuz'),
      initrd: join(folder, 'initrd.img'),
      cmdline: 'console=ttyS0 nokaslr memmap=256M%640M-1+12 swarmboot.reboot=3',
      memoryMiB: 1024,
      devices: [
        ...['-netdev', 'user,id=n0', '-device', 'virtio-net-pci,netdev=n0'],
        ...['-netdev', 'user,id=n1', '-device', 'e1000e,netdev=n1'],
        ...['-device', 'qemu-xhci', '-netdev', 'user,id=n2', '-device', 'usb-net,netdev=n2'],
      ],
      deadlineMs: DEADLINE_MS,
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What the probe said about `name`; fails with the console if it said nothing. */
  function probed<T>(name: string): T {
    const line = new RegExp(`^probe: ${name} (.*)$`, 'm').exec(result.console);
    assert.ok(line?.[1], `the probe said nothing about ${name}:\n${result.console}`);
    return JSON.parse(line[1]) as T;
  }

  test('the agent runs, called as "boot", and the time until then is told', (t) => {
    assert.deepEqual(probed('arguments'), ['boot']);
    t.diagnostic(`first line of JavaScript after ${probed<number>('uptime')} s of emulated uptime`);
    assert.match(
      result.console,
      /^swarmboot: note Stage-1 with kernel \S+ is up after [\d.]+ s, \d+ modules loaded$/m,
    );
  });

  test('drivers of the network adapters and of memory devices are loaded', () => {
    const modules = probed<string[]>('modules');
    for (const name of ['virtio_net', 'e1000e', 'nd_e820', 'nd_pmem'])
      assert.ok(modules.includes(name), name);
    const drivers = probed<Record<string, string>>('drivers');
    assert.ok(drivers.virtio_net && drivers.e1000e, JSON.stringify(drivers));
    assert.notEqual(Number(probed<string>('loopback')) & 1, 0, 'lo is down');
  });

  test('a USB adapter that shows up later gets its driver too', () => {
    assert.ok(probed<Record<string, string>>('late-drivers').cdc_ether);
  });

  test('RAM above 640 MiB is a memory device', () => {
    assert.deepEqual(probed('regions'), [['0x28000000', 256 * 2 ** 20]]);
    assert.equal(probed('pmem0'), true);
  });

  test('the tools work: udhcpc, ip, ping, kexec with its libraries, modprobe', () => {
    const lease = probed<{ status: number; output: string }>('lease');
    assert.match(lease.output, /lease of 10\.0\.2\.15 obtained/);
    assert.match(probed<{ output: string }>('address').output, /inet 10\.0\.2\.15\/24/);
    assert.equal(probed<{ status: number }>('gateway').status, 0);
    assert.match(probed<{ output: string }>('kexec').output, /^kexec-tools \d/);
    assert.deepEqual(probed('image-modules'), { status: 0, output: '' });
  });

  test('the key that was baked in is the one that was given', () => {
    assert.equal(probed<string>('key'), publicKey.trim());
  });

  test('PID 1 collects orphans, and a panic would reboot', () => {
    assert.equal(probed('zombies'), '');
    assert.equal(probed('panic'), '3');
  });

  test('PID 1 outlives the agent, says how it ended, counts down and reboots', () => {
    const told = /^swarmboot: error agent-ended: .*signal 9.*\nswarmboot: rebooting in 3s\n/m;
    assert.match(result.console.slice(result.console.indexOf('probe: late-drivers')), told);
    assert.equal(result.status, 0, 'the machine did not reboot by itself');
    assert.doesNotMatch(result.console, /Kernel panic/);
  });
});
