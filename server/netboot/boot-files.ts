/**
 * The programs that firmware loads first: Debian's iPXE, and its shim and GRUB for Secure Boot. Where its releases have
 * them, and what they are called in our TFTP folder.
 *
 * Invariant: a file in the TFTP folder is whole, and readable for dnsmasq's own user.
 */
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Arch } from '../../contract/manifest.ts';
import { Failure } from '../failure.ts';
import { GRUB_CONFIG_NAME, grubEntryConfig } from './grub-script.ts';

interface BootFile {
  readonly name: string;
  /** Below the root folder of a Debian; the first that exists is taken. */
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

/**
 * shim, signed by Microsoft, loads GRUB, signed by Debian, under exactly this name from where it came from itself, and
 * MokManager (mm*.efi) to enroll a key of the site's own.
 */
export const SHIM_FILES = {
  amd64: {
    shim: { name: 'shimx64.efi', sources: ['/usr/lib/shim/shimx64.efi.signed'], required: false },
    grub: {
      name: 'grubx64.efi',
      sources: ['/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed'],
      required: false,
    },
    keys: { name: 'mmx64.efi', sources: ['/usr/lib/shim/mmx64.efi.signed'], required: false },
  },
  arm64: {
    shim: { name: 'shimaa64.efi', sources: ['/usr/lib/shim/shimaa64.efi.signed'], required: false },
    grub: {
      name: 'grubaa64.efi',
      sources: ['/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed'],
      required: false,
    },
    keys: { name: 'mmaa64.efi', sources: ['/usr/lib/shim/mmaa64.efi.signed'], required: false },
  },
} as const satisfies Record<Arch, Record<string, BootFile>>;

const ALL: readonly BootFile[] = [
  ...Object.values(IPXE_FILES),
  ...Object.values(SHIM_FILES).flatMap((files) => Object.values(files)),
];

/** Names of everything that firmware may ask for. */
export const BOOT_FILE_NAMES: readonly string[] = ALL.map(({ name }) => name);

/** A file of GRUB's HTTP module; Debian 12's signed GRUB (2.06) comes without, and loads no module under Secure Boot. */
const HTTP_MODULE = 'net/http.c';

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** A machine that boots in this moment gets the old file or the new one, whole. */
async function place(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const partial = `${path}.${process.pid}.partial`;
  await writeFile(partial, bytes);
  await chmod(partial, 0o644);
  await rename(partial, path);
}

async function firstOf({ sources }: BootFile, roots: readonly string[]): Promise<string | undefined> {
  for (const root of roots) {
    for (const source of sources) {
      const path = join(root, source);
      if (await isFile(path)) return path;
    }
  }
  return undefined;
}

export interface InstalledFiles {
  readonly names: readonly string[];
  /** Sentences about what is there but of no use. */
  readonly complaints: readonly string[];
}

/**
 * Copies what the Debian systems below `roots` have (the first that has a file wins) into `tftpRoot`, and writes GRUB's
 * configuration, which leads to `serverUrl`. Throws `Failure` `missing-program` where Debian's package ipxe is nowhere.
 */
export async function installBootFiles(
  tftpRoot: string,
  roots: readonly string[],
  serverUrl: string,
): Promise<InstalledFiles> {
  const names: string[] = [];
  const complaints: string[] = [];
  for (const file of ALL) {
    const source = await firstOf(file, roots);
    if (source === undefined) {
      if (!file.required) continue;
      throw new Failure('missing-program', `${file.sources[0]} is missing; apt-get install ipxe`);
    }
    const bytes = await readFile(source);
    if (file.name.startsWith('grub') && !bytes.includes(HTTP_MODULE)) {
      complaints.push(
        `${source} is left out: it cannot load over HTTP. Debian 13's can: unpack that with ` +
          'mmdebstrap --variant=extract (secure-boot.md), and give the folder as --debian-root',
      );
      continue;
    }
    await place(join(tftpRoot, file.name), bytes);
    names.push(file.name);
  }
  await place(join(tftpRoot, GRUB_CONFIG_NAME), grubEntryConfig(serverUrl));
  return { names, complaints };
}

/** Whether shim and a GRUB for it are in the TFTP folder. */
export async function hasShim(tftpRoot: string, arch: Arch): Promise<boolean> {
  const { shim, grub } = SHIM_FILES[arch];
  const found = await Promise.all([shim, grub].map(({ name }) => isFile(join(tftpRoot, name))));
  return found.every((there) => there);
}
