/** Debian's iPXE binaries: where its releases have them, and what they are called in our TFTP folder. */
import { chmod, copyFile, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';

interface BootFile {
  readonly name: string;
  /** First that exists is taken. */
  readonly sources: readonly string[];
  readonly required: boolean;
}

/** Debian 12 has ipxe.efi in /boot and /usr/lib/ipxe; Debian 13 has one for each architecture. */
export const IPXE_FILES = {
  bios: { name: 'undionly.kpxe', sources: ['/usr/lib/ipxe/undionly.kpxe'], required: true },
  efi64: {
    name: 'ipxe.efi',
    sources: ['/usr/lib/ipxe/ipxe-amd64.efi', '/usr/lib/ipxe/ipxe.efi', '/boot/ipxe.efi'],
    required: true,
  },
  snponly: {
    name: 'snponly.efi',
    sources: ['/usr/lib/ipxe/snponly-amd64.efi', '/usr/lib/ipxe/snponly.efi'],
    required: false,
  },
  arm64: { name: 'ipxe-arm64.efi', sources: ['/usr/lib/ipxe/ipxe-arm64.efi'], required: false },
} as const satisfies Record<string, BootFile>;

const exists = async (path: string): Promise<boolean> =>
  await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/**
 * Copies what is installed into `tftpRoot`, readable for dnsmasq's own user. Returns the names.
 * Throws `Failure` `missing-program` where Debian's package ipxe is not installed.
 */
export async function installIpxe(tftpRoot: string): Promise<string[]> {
  await mkdir(tftpRoot, { recursive: true, mode: 0o755 });
  const installed: string[] = [];
  for (const { name, sources, required } of Object.values<BootFile>(IPXE_FILES)) {
    const found: string[] = [];
    for (const source of sources) if (await exists(source)) found.push(source);
    const [source] = found;
    if (source === undefined) {
      if (!required) continue;
      throw new Failure('missing-program', `${sources[0]} is missing; apt-get install ipxe`);
    }
    // A machine that boots in this moment gets the old file or the new one, whole.
    await copyFile(source, join(tftpRoot, `.${name}`));
    await chmod(join(tftpRoot, `.${name}`), 0o644);
    await rename(join(tftpRoot, `.${name}`), join(tftpRoot, name));
    installed.push(name);
  }
  return installed;
}
