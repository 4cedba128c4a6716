/**
 * What an image is built from. Pure: options in, mmdebstrap's arguments and a cache key out.
 */
import { createHash } from 'node:crypto';
import type { Arch } from '../../contract/manifest.ts';
import { Failure } from '../failure.ts';

export interface ImageOptions {
  /** Of the machines; of another than this one if this one can run its programs (qemu-user-static). */
  readonly arch: Arch;
  /** Debian suite: trixie, bookworm. */
  readonly suite: string;
  readonly hostname: string;
  /** Account that can log in; undefined makes an image that nobody can log in to. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Debian packages besides the base. */
  readonly include: readonly string[];
  /** `small` leaves out kernel modules that a machine without screen, sound and radio never needs. */
  readonly size: 'full' | 'small';
}

/** Raised when the build itself changes, so that nothing built by an older program is taken from the cache. */
const RECIPE_VERSION = 3;

/** A bootable Debian, beside its kernel: init, device manager, initramfs, network configuration by DHCP, name resolution. */
const BASE_PACKAGES = [
  'systemd-sysv',
  'udev',
  'initramfs-tools',
  'zstd',
  'dbus',
  'systemd-resolved',
  'iproute2',
  'kmod',
  // For dm-verity in the initrd.
  'dmsetup',
  'login',
  'passwd',
];

const basePackages = ({ arch }: ImageOptions): string[] => [`linux-image-${arch}`, ...BASE_PACKAGES];

/** Not in a netbooted RAM image: manual pages, translations, documentation but for licences. */
const DPKG_OPTIONS = [
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/bash-completion/*',
];

/**
 * What the initrd carries (MODULES=list of initramfs.conf(5)): the root is in RAM already, so it needs no driver of a disk
 * or a network card, which are nine tenths of Debian's initrd; the boot archive brings the rest. Every machine downloads
 * it, and kexec has it in RAM three times. The keyboard is for the shell that `panic` offers.
 */
const INITRAMFS_MODULES = ['usbhid', 'hid_generic', 'xhci_pci', 'ehci_pci'];

/**
 * A command of mmdebstrap's `--essential-hook`: before the kernel's package makes the initrd. What is in conf.d lands in
 * the initrd under the same name, where the boot archive has a `swarmboot` of its own.
 */
const initramfsHook = (): string => {
  const [conf, list] = ['"$1"/etc/initramfs-tools/conf.d', '"$1"/usr/share/initramfs-tools/modules.d'];
  const modules = `printf '%s\\n' ${INITRAMFS_MODULES.join(' ')} >${list}/swarmboot`;
  return `mkdir -p ${conf} ${list} && echo MODULES=list >${conf}/modules-list && ${modules}`;
};

/** Module folders of `--size small`, below kernel/. */
export const SMALL_EXCLUDES: readonly string[] = [
  'sound',
  'drivers/accel',
  'drivers/gpu',
  'drivers/iio',
  'drivers/infiniband',
  'drivers/media',
  'drivers/net/wireless',
  'drivers/staging',
  'net/mac80211',
  'net/wireless',
  'net/bluetooth',
  'drivers/bluetooth',
];

const PATTERNS = {
  suite: /^[a-z][a-z0-9-]{0,31}$/,
  hostname: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  user: /^[a-z_][a-z0-9_-]{0,30}$/,
  // Debian policy 5.6.7, with an optional architecture.
  package: /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?$/,
};

/** Throws `Failure` `bad-option` with what is wrong. */
export function checkImageOptions(options: ImageOptions): void {
  const refuse = (message: string) => {
    throw new Failure('bad-option', message);
  };
  if (!PATTERNS.suite.test(options.suite))
    refuse(`--suite "${options.suite}" is not a Debian suite like trixie`);
  if (!PATTERNS.hostname.test(options.hostname))
    refuse(`--hostname "${options.hostname}" is not a host name: letters a-z, digits and - only`);
  if (options.user !== undefined && !PATTERNS.user.test(options.user))
    refuse(`--user "${options.user}" is not a login name that useradd takes`);
  if ((options.user === undefined) !== (options.password === undefined))
    refuse('--user and --password go together: give both or neither');
  // chpasswd(8) reads lines.
  if (options.password !== undefined && !/^[^\n\r\0]{1,128}$/.test(options.password))
    refuse('--password must be 1 to 128 characters on one line');
  for (const name of options.include) {
    if (!PATTERNS.package.test(name)) refuse(`--include "${name}" is not a Debian package name`);
  }
}

/** Arguments of mmdebstrap(1) that make the root file system in `target`. No mirror is named: Debian's own. */
export function mmdebstrapArguments(options: ImageOptions, target: string): string[] {
  return [
    `--architectures=${options.arch}`,
    '--variant=minbase',
    '--format=directory',
    '--aptopt=Apt::Install-Recommends "false"',
    `--essential-hook=${initramfsHook()}`,
    ...DPKG_OPTIONS.map((option) => `--dpkgopt=${option}`),
    `--include=${[...basePackages(options), ...options.include].join(',')}`,
    options.suite,
    target,
  ];
}

/** Same key, same inputs: the name of the folder in the cache. */
export function recipeKey(options: ImageOptions): string {
  const { suite, hostname, user, password, size } = options;
  const include = [...new Set(options.include)].sort();
  const recipe = {
    version: RECIPE_VERSION,
    base: basePackages(options),
    initramfs: initramfsHook(),
    suite,
    hostname,
    user,
    password,
    include,
    size,
  };
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 32);
}
