/**
 * The iPXE scripts, as pure text: /boot.ipxe, the same for every machine, and /ipxe, for one.
 *
 * Every download is tried again, and after the last try the machine reboots: an iPXE shell on a machine without a
 * keyboard is a hang. Only commands of Debian 12's iPXE (2019) are used; it has no `imgextract`, no HTTPS.
 * Whatever is put into a script has been through a parser first: a line break in a value would be a command.
 */
import type { Arch } from '../../contract/manifest.ts';
import type { Endpoint } from '../../contract/parameters.ts';
import { type RamRange, type RegionContents, regionParameters } from './memory-region.ts';

const TRIES = 5;
const RETRY_SECONDS = 3;
const REBOOT_SECONDS = 30;
/** While no image is published a machine asks again this often. */
const NO_IMAGE_SECONDS = 60;

/** A script whose `body` runs until it boots; `|| goto retry` in it starts over. */
export function retrying(body: readonly string[], failure: string): string {
  return [
    '#!ipxe',
    'set tries:int32 0',
    ':again',
    ...body,
    ':retry',
    'inc tries',
    `iseq \${tries} ${TRIES} && goto give_up ||`,
    `echo swarmboot: that failed, next of ${TRIES} tries in ${RETRY_SECONDS} seconds`,
    `sleep ${RETRY_SECONDS}`,
    'goto again',
    ':give_up',
    `echo swarmboot: ${failure}`,
    `echo swarmboot: rebooting in ${REBOOT_SECONDS} seconds`,
    `sleep ${REBOOT_SECONDS}`,
    'reboot',
    '',
  ].join('\n');
}

/** `baseUrl` without a final slash. */
export const entryScript = (baseUrl: string): string =>
  retrying(
    [
      `echo swarmboot: asking ${baseUrl} what \${mac} boots`,
      `chain --autofree --replace ${baseUrl}/ipxe?mac=\${mac}&uuid=\${uuid}&arch=\${buildarch}&platform=\${platform} || goto retry`,
    ],
    `cannot load the boot script from ${baseUrl}; does swarmboot serve run there?`,
  );

export interface MachineScript {
  readonly baseUrl: string;
  readonly arch: Arch;
  readonly image: string;
  readonly version: string;
  /** For its region of RAM. */
  readonly contents: RegionContents;
  /** System RAM that the machine told of at an earlier boot; empty if it never did. */
  readonly ram: readonly RamRange[];
  readonly seeder: Endpoint | undefined;
  /** More kernel parameters for stage-1, of `serve --append` and of assignments. */
  readonly append: readonly string[];
  /** For the kernel of the real system; '' for none. */
  readonly systemParameters: string;
  /** What the real system is to be called; undefined leaves the image's name. */
  readonly hostname: string | undefined;
  /** Token of a one-shot boot, hexadecimal: the server knows by it that this machine has fetched stage-1. */
  readonly token: string | undefined;
}

const formatEndpoint = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** What differs in stage-1's kernel parameters between boot loaders. */
export interface LoaderWords {
  /** Names the initramfs, for a kernel that is started as an EFI program and asks its loader for it. */
  readonly initrd: readonly string[];
  /** The loader's own variable that holds the MAC address of the card that it was loaded through. */
  readonly mac: string;
}

const IPXE_WORDS: LoaderWords = { initrd: ['initrd=initrd.img'], mac: `\${mac:hexhyp}` };

/** Kernel parameters of stage-1; BOOTIF is pxelinux's convention for the card that was booted from. */
export function stage1Parameters(script: MachineScript, loader: LoaderWords = IPXE_WORDS): string[] {
  return [
    ...loader.initrd,
    // A panic before stage-1's init could say so (too little RAM to unpack) must not leave a dead screen.
    'panic=60',
    ...(script.arch === 'amd64' ? regionParameters(script.contents, script.ram) : []),
    `swarmboot.manifest=${script.baseUrl}/images/${script.image}/manifest.json`,
    ...(script.seeder ? [`swarmboot.peers=${formatEndpoint(script.seeder)}`] : []),
    `BOOTIF=01-${loader.mac}`,
    ...(script.hostname === undefined ? [] : [`swarmboot.hostname=${script.hostname}`]),
    ...script.append,
    // The kernel and stage-1 keep what is in double quotes together; iPXE hands them on as they are.
    ...(script.systemParameters === '' ? [] : [`swarmboot.append="${script.systemParameters}"`]),
  ];
}

export function machineScript(script: MachineScript): string {
  const stage1 = `${script.baseUrl}/stage1/${script.arch}`;
  return retrying(
    [
      'imgfree',
      `echo swarmboot: ${script.image} ${script.version} for \${mac}`,
      `kernel ${stage1}/vmlinuz ${stage1Parameters(script).join(' ')} || goto retry`,
      // iPXE names the file by the URL's path, without the query: `initrd=initrd.img` stays right.
      `initrd ${stage1}/initrd.img${script.token === undefined ? '' : `?next=${script.token}`} || goto retry`,
      'boot || goto retry',
    ],
    `cannot load stage-1 from ${stage1}`,
  );
}

/** For a machine that cannot be served now: says why, waits and reboots, so that it comes back by itself. */
export const excuseScript = (reason: string): string =>
  [
    '#!ipxe',
    `echo swarmboot: ${reason}`,
    `echo swarmboot: rebooting in ${NO_IMAGE_SECONDS} seconds`,
    `sleep ${NO_IMAGE_SECONDS}`,
    'reboot',
    '',
  ].join('\n');
