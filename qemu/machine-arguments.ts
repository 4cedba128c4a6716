/** The QEMU command line of one machine: pure, so that a unit test can read it. */
import type { Accelerator } from './accel.ts';

/** `secureboot` is UEFI with Microsoft's keys enrolled and Secure Boot on. */
export const FIRMWARES = ['bios', 'uefi', 'secureboot'] as const;
export type Firmware = (typeof FIRMWARES)[number];

/** Debian's names. `arm64` is QEMU's board `virt` with UEFI: what Arm asks of servers (SBSA, SBBR), and no board more. */
export type MachineArch = 'amd64' | 'arm64';

export interface MachinePlan {
  readonly name: string;
  readonly arch: MachineArch;
  readonly accelerator: Accelerator;
  readonly firmware: Firmware;
  readonly memoryMiB: number;
  /** amd64: how much of it lies below 4 GiB, if less than the board would put there; the rest is from 4 GiB on. */
  readonly lowMemoryMiB?: number;
  readonly cpus: number;
  readonly mac: string;
  /** Tap device, in the namespace that QEMU runs in. */
  readonly tap: string;
  /** QEMU's name of the network card. */
  readonly nic: string;
  /** This machine's own copy of the UEFI variables; needed with all but `bios`. */
  readonly uefiVariables?: string;
  /** UEFI firmware fetches over HTTP instead of PXE's TFTP. */
  readonly httpBoot?: boolean;
  /** Socket on which QEMU shows the screen and takes keys (screen.ts); without it the machine has no graphics card. */
  readonly screenSocket?: string;
  /** Boots this directly, past firmware and PXE. */
  readonly direct?: { readonly kernel: string; readonly initrd: string; readonly cmdline: string };
}

/** Debian's OVMF and AAVMF: 4 MB builds, as OVMF's of 2 MB are gone from Debian 13. */
export const UEFI = {
  amd64: {
    uefi: { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
    secureboot: {
      code: '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd',
      variables: '/usr/share/OVMF/OVMF_VARS_4M.ms.fd',
    },
  },
  arm64: {
    uefi: { code: '/usr/share/AAVMF/AAVMF_CODE.fd', variables: '/usr/share/AAVMF/AAVMF_VARS.fd' },
    secureboot: { code: '/usr/share/AAVMF/AAVMF_CODE.ms.fd', variables: '/usr/share/AAVMF/AAVMF_VARS.ms.fd' },
  },
} as const;

export const QEMU: Readonly<Record<MachineArch, string>> = {
  amd64: 'qemu-system-x86_64',
  arm64: 'qemu-system-aarch64',
};

/** `graphics=off` makes SeaBIOS, and with it iPXE, talk on the serial port. */
const BOARD: Readonly<Record<MachineArch, readonly string[]>> = {
  amd64: ['-machine', 'q35,graphics=off', '-cpu', 'max'],
  arm64: ['-machine', 'virt', '-cpu', 'cortex-a72'],
};

export const acceleratorArgument = (accelerator: Accelerator): string =>
  accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi';

/** What the accelerator probe and the machines have in common, so that the probe tries what the machines will do. */
export const platformArguments = (accelerator: Accelerator, arch: MachineArch = 'amd64'): string[] => [
  ...['-accel', acceleratorArgument(accelerator), ...BOARD[arch]],
  // A machine that resets ends: nothing here reboots on purpose except as a last resort, which is to be seen.
  ...['-display', 'none', '-nodefaults', '-no-user-config', '-no-reboot'],
];

/** Arguments of QEMU, its name not included. The console is QEMU's stdin and stdout. */
export function machineArguments(plan: MachinePlan): string[] {
  const device = [plan.nic, 'netdev=net0', `mac=${plan.mac}`];
  // OVMF would run the ROM's iPXE instead of its own PXE client; real UEFI machines have only the latter.
  if (plan.firmware !== 'bios') device.push('romfile=');
  if (!plan.direct) device.push('bootindex=1');
  const args = [
    ...['-name', plan.name],
    ...platformArguments(plan.accelerator, plan.arch),
    ...['-smp', String(plan.cpus), '-m', String(plan.memoryMiB)],
    ...['-serial', 'stdio', '-monitor', 'none'],
    ...['-netdev', `tap,id=net0,ifname=${plan.tap},script=no,downscript=no`, '-device', device.join(',')],
    // Without it a guest under TCG waits for entropy.
    ...['-device', 'virtio-rng-pci'],
  ];
  if (plan.lowMemoryMiB !== undefined) args.push('-machine', `max-ram-below-4g=${plan.lowMemoryMiB}M`);
  if (plan.screenSocket !== undefined)
    args.push('-device', 'VGA', '-qmp', `unix:${plan.screenSocket},server=on,wait=off`);
  if (plan.firmware !== 'bios') {
    if (plan.uefiVariables === undefined)
      throw new Error(`Machine ${plan.name} boots by UEFI and needs its variables`);
    const { code } = UEFI[plan.arch][plan.firmware];
    // This OVMF is built to guard its variables from system management mode; without it, it does not start.
    if (plan.firmware === 'secureboot' && plan.arch === 'amd64')
      args.push('-machine', 'smm=on', '-global', 'driver=cfi.pflash01,property=secure,value=on');
    args.push('-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${code}`);
    // edk2's OvmfPkg/README: without PXE, its next boot option on a network card is HTTP Boot.
    if (plan.httpBoot)
      for (const version of ['IPv4', 'IPv6'])
        args.push('-fw_cfg', `name=opt/org.tianocore/${version}PXESupport,string=n`);
    args.push('-drive', `if=pflash,unit=1,format=raw,file=${plan.uefiVariables}`);
  }
  if (plan.direct) {
    const { kernel, initrd, cmdline } = plan.direct;
    args.push('-kernel', kernel, '-initrd', initrd, '-append', cmdline);
  }
  return args;
}
