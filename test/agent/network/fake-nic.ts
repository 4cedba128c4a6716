import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FakeMachine } from '../fakes.ts';

/** A wired interface in /sys; `carrier` undefined: it is down, and reading says nothing. */
export function addNic(
  machine: FakeMachine,
  name: string,
  mac: string,
  carrier: '0' | '1' | undefined,
): void {
  const folder = `/sys/class/net/${name}`;
  machine.file(`${folder}/type`, '1\n');
  machine.file(`${folder}/address`, `${mac}\n`);
  rmSync(join(machine.root, folder, 'device'), { force: true });
  machine.link(`${folder}/device`, `/sys/devices/pci0000:00/${name}`);
  if (carrier !== undefined) machine.file(`${folder}/carrier`, `${carrier}\n`);
}
