/**
 * What stage-1 holds, in lists: the one place to add a driver, a tool or an applet that the agent uses.
 * The build fails if the Debian packages lack one of these, so that no machine finds out at boot.
 */

/** Debian packages that stage-1 is taken from, beside the kernel (architecture.ts); libraries are found by reading the programs (libraries.ts). */
export const PACKAGES: readonly string[] = [
  'busybox-static',
  'kexec-tools',
  // Libraries that node names and nothing above depends on.
  'libc6',
  'libstdc++6',
  'libgcc-s1',
  'libatomic1',
];

/** Programs from the packages: path in stage-1 -> path in the packages. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  'bin/busybox': 'usr/bin/busybox',
  'bin/kexec': 'usr/sbin/kexec',
};

/** Busybox applets that `init` and the agent call. Every applet of Debian's busybox is linked, these must exist. */
export const APPLETS: readonly string[] = [
  ...['sh', 'cat', 'cut', 'echo', 'env', 'sed', 'sleep', 'sort', 'tr', 'wc', 'xargs', 'uname', 'kill', 'ps'],
  ...['mount', 'umount', 'mkdir', 'ln', 'rm', 'sync', 'reboot', 'poweroff', 'losetup', 'dmesg'],
  ...['modprobe', 'insmod', 'lsmod', 'ip', 'udhcpc', 'hostname', 'blockdev'],
];

/** Applets that stage-1 has a better program for. */
export const APPLETS_NOT_LINKED: readonly string[] = ['busybox', 'kexec'];

/** Network drivers of PCs in labs and offices, of servers, and of virtual machines. */
const NETWORK_MODULES: readonly string[] = [
  // Intel
  ...['e100', 'e1000', 'e1000e', 'igb', 'igc', 'ixgbe', 'i40e', 'ice', 'dwmac-intel'],
  // Realtek; its PHY driver is a separate module that r8169 cannot do without
  ...['8139cp', '8139too', 'r8169', 'realtek'],
  // Broadcom
  ...['b44', 'bnx2', 'bnx2x', 'bnxt_en', 'tg3', 'broadcom'],
  // Aquantia/Marvell, Atheros/Killer, Nvidia, JMicron, VIA, AMD
  ...['atlantic', 'atl1', 'atl1c', 'atl1e', 'atl2', 'alx', 'sky2', 'skge', 'forcedeth', 'jme'],
  ...['via-rhine', 'via-velocity', 'amd-xgbe', 'pcnet32'],
  // Servers
  ...['be2net', 'mlx4_en', 'mlx5_core'],
  // Virtual machines and clouds
  ...['virtio_net', 'virtio_pci', 'virtio_mmio', 'vmxnet3', 'hv_netvsc', 'pci-hyperv', 'xen-netfront'],
  ...['ena', 'gve', 'igbvf', 'ixgbevf', 'iavf'],
  // USB adapters and docking stations
  ...['r8152', 'r8153_ecm', 'rtl8150', 'ax88179_178a', 'asix', 'ax88796b', 'aqc111', 'cdc_ether', 'cdc_ncm'],
  ...[
    'cdc_mbim',
    'smsc75xx',
    'smsc95xx',
    'smsc',
    'lan78xx',
    'microchip',
    'dm9601',
    'mcs7830',
    'pegasus',
    'rndis_host',
  ],
];

const BUS_MODULES: readonly string[] = ['xhci_pci', 'xhci-pci-renesas', 'ehci-pci', 'ohci-pci', 'uhci-hcd'];

/** Memory as a block device, and what a root image is mounted with. */
const IMAGE_MODULES: readonly string[] = [
  ...['nd_e820', 'nd_pmem', 'libnvdimm', 'nd_btt', 'loop', 'squashfs', 'overlay'],
];

const OTHER_MODULES: readonly string[] = ['af_packet', 'virtio-rng'];

/** Kernel modules to ship with everything they depend on; one that is built into the kernel is as good. */
export const MODULES: readonly string[] = [
  ...NETWORK_MODULES,
  ...BUS_MODULES,
  ...IMAGE_MODULES,
  ...OTHER_MODULES,
];

/** Loaded by `init` in any case: nothing in /sys asks for them. Filesystems and loop come when first used. */
export const MODULES_AT_START: readonly string[] = ['nd_e820', 'nd_pmem', 'af_packet'];

/** What `init` loads before it can mount the squashfs parts, in an order that works; none may depend on another module. */
export const FIRST_MODULES: readonly string[] = ['loop', 'squashfs'];

/** Empty directories, with their modes. */
export const DIRECTORIES: Readonly<Record<string, number>> = {
  dev: 0o755,
  'lib/modules': 0o755,
  mnt: 0o755,
  proc: 0o555,
  root: 0o700,
  run: 0o755,
  sys: 0o555,
  system: 0o755,
  tmp: 0o1777,
};

/** What the agent needs as the root folder of its own, where stage-1 brings it along into the real system. */
export const AGENT_ROOT: Readonly<Record<string, number>> = {
  ...{ dev: 0o755, etc: 0o755, proc: 0o555, run: 0o755, sys: 0o555, tmp: 0o1777, 'var/tmp': 0o1777 },
};

/** Links that let programs find each other where Debian would have them. */
export const LINKS: Readonly<Record<string, string>> = {
  sbin: 'bin',
  'etc/mtab': '/proc/mounts',
};

/** Small files. */
export const FILES: Readonly<Record<string, string>> = {
  'etc/group': 'root:x:0:\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  'etc/nsswitch.conf': 'hosts: files dns\n',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  'etc/swarmboot/modules': `${MODULES_AT_START.join('\n')}\n`,
};
