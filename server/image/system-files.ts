/** Files that make a plain Debian root into one that boots from RAM on any machine. Pure: the files as data. */
import type { ImageOptions } from './recipe.ts';

export interface SystemFile {
  /** Path without a leading slash. */
  readonly path: string;
  /** undefined with `link` set makes a symbolic link. */
  readonly text?: string;
  readonly link?: string;
}

/** Timers that clean or update a disk; a diskless machine gets its updates with the next image. */
const MASKED_UNITS = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'fstrim.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'man-db.timer',
];

const WANTS = 'etc/systemd/system/multi-user.target.wants';

export function systemFiles(options: ImageOptions): SystemFile[] {
  return [
    { path: 'etc/hostname', text: `${options.hostname}\n` },
    {
      path: 'etc/hosts',
      text: `127.0.0.1 localhost\n127.0.1.1 ${options.hostname}\n::1 localhost ip6-localhost ip6-loopback\n`,
    },
    // The root is mounted by the initramfs (boot=swarmboot); nothing is left for fstab(5) to do.
    { path: 'etc/fstab', text: '# The root file system is an image in RAM, mounted by the initramfs.\n' },
    { path: 'etc/locale.conf', text: 'LANG=C.UTF-8\n' },
    { path: 'etc/default/locale', text: 'LANG=C.UTF-8\n' },
    // Empty, not missing: each boot makes an id of its own, and systemd does not take it for a first boot, which
    // would ask questions on the console (machine-id(5)).
    { path: 'etc/machine-id', text: '' },
    {
      path: 'etc/systemd/network/80-swarmboot-wired.network',
      // The MAC address as client identifier is what firmware, iPXE and stage-1 use too: the machine keeps its
      // address through the whole boot instead of taking a second lease (the machine-id changes every time).
      text: '[Match]\nType=ether\nKind=!*\n\n[Network]\nDHCP=yes\n\n[DHCPv4]\nClientIdentifier=mac\n',
    },
    { path: `${WANTS}/systemd-networkd.service`, link: '/usr/lib/systemd/system/systemd-networkd.service' },
    {
      path: 'etc/systemd/system/sockets.target.wants/systemd-networkd.socket',
      link: '/usr/lib/systemd/system/systemd-networkd.socket',
    },
    // Newer than /usr: what systemd would do after an update of /usr (ConditionNeedsUpdate= in systemd.unit(5): message
    // catalog, hardware database, users) has been done by the packages, and would cost every boot some seconds.
    { path: 'etc/.updated', text: '' },
    { path: 'var/.updated', text: '' },
    // Logs live in RAM either way; in /run they are bounded.
    {
      path: 'etc/systemd/journald.conf.d/swarmboot.conf',
      text: '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n',
    },
    ...MASKED_UNITS.map((unit) => ({ path: `etc/systemd/system/${unit}`, link: '/dev/null' })),
  ];
}

/** For images with openssh-server: the image is public, so host keys are made at boot, not shipped. */
export const SSH_KEY_DROP_IN: SystemFile = {
  path: 'etc/systemd/system/ssh.service.d/swarmboot-host-keys.conf',
  text: '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n',
};

/** What the build leaves behind that differs from build to build or belongs to one machine only. */
export const REMOVED_PATHS: readonly string[] = [
  'etc/.pwd.lock',
  'etc/apt/apt.conf.d/99mmdebstrap',
  'initrd.img',
  'initrd.img.old',
  'var/cache/ldconfig/aux-cache',
  'var/lib/dbus/machine-id',
  'var/lib/systemd/random-seed',
  'var/log/alternatives.log',
  'var/log/apt/history.log',
  'var/log/apt/term.log',
  'var/log/bootstrap.log',
  'var/log/dpkg.log',
  'vmlinuz',
  'vmlinuz.old',
];
