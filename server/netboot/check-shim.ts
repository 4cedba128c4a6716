/** Whether the folder for TFTP has what UEFI machines with Secure Boot load. */
import { ARCHES, type Arch } from '../../contract/manifest.ts';
import { Failure } from '../failure.ts';
import { hasShim } from './boot-files.ts';

/**
 * shim without its GRUB in the same folder is a machine that stops at a red screen. Returns a sentence for each
 * architecture that will not boot, as a room of one architecture is the usual one; throws `Failure` `missing-program`
 * where none would.
 */
export async function checkShim(tftpRoot: string): Promise<string[]> {
  const absent: Arch[] = [];
  for (const arch of ARCHES) if (!(await hasShim(tftpRoot, arch))) absent.push(arch);
  if (absent.length === ARCHES.length)
    throw new Failure(
      'missing-program',
      `shim and a GRUB that loads over HTTP are not in ${tftpRoot}; on Debian 13 apt-get install shim-signed ` +
        'grub-efi-amd64-signed and run this again (Debian 12: see secure-boot.md)',
    );
  return absent.map(
    (arch) => `${tftpRoot} has no shim and GRUB for ${arch}: such UEFI machines will not boot`,
  );
}
