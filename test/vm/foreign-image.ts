/**
 * Images that Debian's own tools made and that know nothing of swarmboot: installed by mmdebstrap, packed by mksquashfs,
 * published by `swarmboot image import`. They are kept in .cache/lab/foreign, for a month.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Credentials } from '../../qemu/login.ts';
import { CONFIG, CREDENTIALS, STATE } from './prepare.ts';

const ROOT = join(import.meta.dirname, '../..');
const CACHE = join(ROOT, '.cache/lab/foreign');
const BUILD_TIMEOUT_MS = 20 * 60_000;
const MONTH_MS = 30 * 24 * 60 * 60_000;

export interface ForeignImage {
  /** Under which it is published. */
  readonly name: string;
  readonly suite: 'bookworm' | 'trixie';
  /** What makes its initrd, and all else besides a bootable minimum. */
  readonly packages: readonly string[];
  /** Who can log in; undefined: nobody is made, and no network set up, the image does both when it boots. */
  readonly account: Credentials | undefined;
}

const MINIMUM = ['linux-image-amd64', 'systemd-sysv', 'udev', 'dbus', 'iproute2', 'kmod', 'login', 'passwd'];
/** Drivers that an emulated machine has no use for, and that would be most of initrd and root. */
const EXCLUDED = ['sound', 'drivers/gpu', 'drivers/media', 'drivers/net/wireless', 'drivers/infiniband'];

function mmdebstrapArguments({ suite, packages, account }: ForeignImage, target: string): string[] {
  const exclude = [
    ...EXCLUDED.map((folder) => `*/modules/*/kernel/${folder}/*`),
    ...['/usr/share/man/*', '/usr/share/locale/*', '/usr/share/doc/*'],
  ];
  const network = '[Match]\\nType=ether\\n[Network]\\nDHCP=yes\\n[DHCPv4]\\nClientIdentifier=mac\\n';
  const hooks = [
    // What mmdebstrap has from the machine that it runs on is no part of the image.
    'rm -f "$1"/etc/hostname "$1"/etc/resolv.conf',
    ...(account === undefined
      ? []
      : [
          `chroot "$1" useradd --create-home --shell /bin/bash ${account.user}`,
          `echo ${account.user}:${account.password} | chroot "$1" chpasswd`,
          `mkdir -p "$1"/etc/systemd/network && printf '${network}' >"$1"/etc/systemd/network/wired.network`,
          'chroot "$1" systemctl enable systemd-networkd',
        ]),
  ];
  return [
    ...['--variant=minbase', '--format=directory', '--aptopt=Apt::Install-Recommends "false"'],
    ...exclude.map((glob) => `--dpkgopt=path-exclude=${glob}`),
    `--include=${[...MINIMUM, ...packages].join(',')}`,
    ...hooks.map((hook) => `--customize-hook=${hook}`),
    ...[suite, target],
  ];
}

const run = (program: string, args: readonly string[]): void => {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: BUILD_TIMEOUT_MS });
};

/** The folder with vmlinuz, initrd.img and root.squashfs. */
export function buildForeign(image: ForeignImage): string {
  const key = createHash('sha256')
    .update(mmdebstrapArguments(image, '').join('\n'))
    .digest('hex')
    .slice(0, 16);
  const folder = join(CACHE, `${image.name}-${key}`);
  if (existsSync(folder) && Date.now() - statSync(folder).mtimeMs < MONTH_MS) return folder;
  const draft = `${folder}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const root = join(draft, 'root');
  try {
    run('unshare', ['--mount', '--', 'mmdebstrap', ...mmdebstrapArguments(image, root)]);
    const boot = readdirSync(join(root, 'boot'));
    for (const [prefix, name] of [
      ['vmlinuz-', 'vmlinuz'],
      ['initrd.img-', 'initrd.img'],
    ] as const) {
      const [file, ...more] = boot.filter((entry) => entry.startsWith(prefix));
      if (file === undefined || more.length > 0) throw new Error(`/boot of ${image.name} has ${boot}`);
      renameSync(join(root, 'boot', file), join(draft, name));
    }
    run('mksquashfs', [
      ...[root, join(draft, 'root.squashfs'), '-comp', 'zstd', '-Xcompression-level', '3'],
      ...['-noappend', '-no-progress', '-quiet'],
    ]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
  return folder;
}

/** Builds the image if it is not there, and publishes it in the lab. */
export function publishForeign(image: ForeignImage): void {
  const folder = buildForeign(image);
  run(join(ROOT, 'bin/swarmboot'), [
    ...['image', 'import', '--name', image.name, '--keep', '1', '--link-root'],
    ...['--kernel', join(folder, 'vmlinuz'), '--initrd', join(folder, 'initrd.img')],
    ...['--root', join(folder, 'root.squashfs'), '--state', STATE, '--config', CONFIG],
  ]);
}

export const DRACUT_13: ForeignImage = {
  ...{ name: 'dracut-trixie', suite: 'trixie', packages: ['dracut'], account: CREDENTIALS },
};
/** What a medium of Debian Live is made of, by live-build; live-config makes the user. */
export const LIVE_13: ForeignImage = {
  name: 'live-trixie',
  suite: 'trixie',
  packages: [
    'live-boot',
    'live-boot-initramfs-tools',
    'live-config',
    'live-config-systemd',
    'user-setup',
    'sudo',
    'ifupdown',
    'isc-dhcp-client',
  ],
  account: undefined,
};
export const LIVE_CREDENTIALS: Credentials = { user: 'user', password: 'live' };
