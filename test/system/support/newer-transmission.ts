/**
 * Transmission 4 of Debian 13, unpacked and not installed, for machines whose own is 3.00 and reads no hybrid torrent.
 * It runs with the libraries that it was built against, through their own loader, see ld.so(8).
 */
import { join } from 'node:path';
import type { CommandOf } from '../../../bench/peers/transmission.ts';
import { unpackPackages } from '../../../initramfs/packages.ts';

const CACHE = join(import.meta.dirname, '../../../.cache');
const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

export async function newerTransmission(): Promise<CommandOf> {
  const folder = await unpackPackages(
    {
      suite: 'trixie',
      mirror: undefined,
      architecture: 'amd64',
      packages: ['transmission-cli', 'transmission-daemon'],
    },
    CACHE,
    false,
  );
  const libraries = join(folder, LIBRARIES);
  const loader = join(libraries, 'ld-linux-x86-64.so.2');
  return (program) => [loader, '--library-path', libraries, join(folder, 'usr/bin', program)];
}
