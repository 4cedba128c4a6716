/**
 * The archive that is put in front of an image's own initrd when it is published, so that any Debian image whose
 * initrd was made by initramfs-tools boots with boot=swarmboot without being rebuilt:
 *
 *   /scripts/swarmboot              boot script, see initramfs/boot-script.sh
 *   /conf/conf.d/swarmboot          loads the modules, see initramfs/load-modules.sh
 *   /swarmboot/modules/NN-NAME.ko   what Debian's initrd lacks, numbered in loading order
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

/** Entries of the archive; `modules` in loading order. */
export function bootEntries(modules: readonly BootModule[]): Entry[] {
  return [
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
