/** A machine of paper on which a whole boot runs: real HTTP for the manifest, everything else in the test's hand. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createBoot } from '../../agent/boot.ts';
import { type FakeEngine, type Faults, fakeEngine } from './fake-engine.ts';
import { FakeConsole, type FakeMachine, fakeMachine, succeeded } from './fakes.ts';
import { addNic } from './network/fake-nic.ts';
import { type ServedRelease, serveRelease } from './release-fixture.ts';

const MIB = 1024 ** 2;
const MAC = '52:54:00:aa:00:01';

export const ALL_PHASES = [
  'network ok',
  'manifest ok',
  'memory ok',
  'swarm ok',
  'verify ok',
  'linger ok',
  'handoff ok',
];

/** The phases that ended, and how: `phase end` lines without their seconds. */
export const endedPhases = (console: FakeConsole): string[] =>
  console.lines.flatMap((line) => {
    const match = /^swarmboot: phase (\w+): end (ok|failed)/.exec(line);
    return match ? [`${match[1]} ${match[2]}`] : [];
  });

export interface Lab {
  readonly machine: FakeMachine;
  readonly console: FakeConsole;
  readonly served: ServedRelease;
  readonly engine: FakeEngine;
  /** Boots until `kexec -e` (true) or a reboot (false). */
  boot(): Promise<boolean>;
}

export interface LabOptions extends Faults {
  readonly cmdline?: string;
  readonly availableMib?: number;
  readonly pmem?: boolean;
}

/** A machine with one interface, a lease, RAM, and perhaps a pmem device (a file in its root). */
export async function lab(context: TestContext, options: LabOptions = {}): Promise<Lab> {
  const served = await serveRelease(context);
  served.server.reply('/telemetry', '{"neededBy":0}');
  const machine = fakeMachine(context, true);
  addNic(machine, 'eth0', MAC, '1');
  machine.file('/proc/cmdline', `quiet swarmboot.manifest=${served.manifestUrl} ${options.cmdline ?? ''}\n`);
  machine.file('/proc/uptime', '5.00 9.00\n');
  const available = (options.availableMib ?? 1000) * 1024;
  machine.file('/proc/meminfo', `MemTotal: 2000000 kB\nMemAvailable: ${available} kB\n`);
  machine.file('/etc/swarmboot/release.pub', readFileSync(join(served.folder, 'release.pub'), 'utf8'));
  machine.file('/sys/firmware/memmap/0/start', '0x0\n');
  machine.file('/sys/firmware/memmap/0/end', '0x7fffffff\n');
  machine.file('/sys/firmware/memmap/0/type', 'System RAM\n');
  if (options.pmem ?? true) {
    const bus = '/sys/devices/platform/e820_pmem/ndbus0/region0';
    machine.link('/sys/block/pmem0', `${bus}/namespace0.0/block/pmem0`);
    machine.link('/sys/bus/nd/devices/region0', bus);
    machine.file(`${bus}/resource`, '0x28000000\n');
    machine.file(`${bus}/size`, `${4 * MIB}\n`);
    machine.file(`${bus}/namespace0.0/block/pmem0/size`, `${(4 * MIB) / 512}\n`);
    machine.file('/dev/pmem0', '');
    truncateSync(join(machine.root, '/dev/pmem0'), 4 * MIB);
  }
  machine.programs.set('udhcpc', (_, { environment }) => {
    writeFileSync(
      environment?.SWARMBOOT_LEASE ?? '',
      'ip=10.77.0.50\nsubnet=255.255.255.0\nrouter=10.77.0.1\n',
    );
    return succeeded;
  });
  const console = new FakeConsole();
  const engine = fakeEngine(machine, served, options);
  const session = createBoot(machine, console, engine, 'amd64');
  return {
    machine,
    console,
    served,
    engine,
    boot: () =>
      new Promise((resolve, reject) => {
        machine.programs.set('reboot', () => {
          resolve(false);
          return succeeded;
        });
        const kexec = machine.programs.get('kexec');
        machine.programs.set('kexec', (args, run) => {
          if (args[0] !== '-e') return kexec?.(args, run) ?? succeeded;
          resolve(true);
          return new Promise(() => {});
        });
        session.run().catch(reject);
      }),
  };
}
