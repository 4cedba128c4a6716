/**
 * The archive that is put in front of an image's own initrd when it is published, so that any Debian image boots from
 * the RAM that stage-1 has filled, without being rebuilt. Which of its parts are used is up to the initrd behind it:
 *
 *   /swarmboot/modules/NN-NAME.ko   what Debian's initrd lacks, numbered in loading order
 *
 * initramfs-tools, by boot=swarmboot:
 *   /conf/conf.d/swarmboot          loads the modules, see initramfs/load-modules.sh
 *   /scripts/swarmboot              boot script, see initramfs/boot-script.sh
 *
 * systemd as PID 1 of the initrd, as dracut makes it:
 *   /etc/systemd/system/            sysroot.mount, and what it waits for: swarmboot-root.service
 *   /swarmboot/systemd-root         what that runs, see initramfs/systemd-root.sh; it needs /scripts/swarmboot too
 *
 * It is not compressed: an uncompressed archive may stand in front of anything, and 1 MB does not matter.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Entry, withDirectories, writeCpio } from '../../contract/cpio.ts';

export interface BootModule {
  readonly name: string;
  /** The uncompressed ELF object. */
  readonly bytes: Uint8Array;
}

const source = (file: string): Buffer => readFileSync(join(import.meta.dirname, 'initramfs', file));

const file = (path: string, bytes: Uint8Array): Entry => ({ kind: 'file', path, mode: 0o644, bytes });

/** Where a unit is before all that generators make (systemd.unit(5)). */
const UNITS = 'etc/systemd/system';

/** Entries of the archive; `modules` in loading order. */
export function bootEntries(modules: readonly BootModule[]): Entry[] {
  return [
    file(`${UNITS}/swarmboot-root.service`, source('swarmboot-root.service')),
    file(`${UNITS}/sysroot.mount`, source('sysroot.mount')),
    // As an [Install] section would do with RequiredBy=.
    {
      kind: 'symlink',
      path: `${UNITS}/initrd-root-fs.target.requires/sysroot.mount`,
      target: '../sysroot.mount',
    },
    file('swarmboot/systemd-root', source('systemd-root.sh')),
    file('conf/conf.d/swarmboot', source('load-modules.sh')),
    file('scripts/swarmboot', source('boot-script.sh')),
    ...modules.map((module, index) =>
      file(`swarmboot/modules/${String(index).padStart(2, '0')}-${module.name}.ko`, module.bytes),
    ),
  ];
}

/** Dated 1970: the same modules make the same bytes. */
export const buildBootCpio = (modules: readonly BootModule[]): Buffer =>
  writeCpio(withDirectories(bootEntries(modules)), 0);
