/** What every VM test needs: the lab's parts built (quick when they are), and stage-1 started without firmware. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type AcceleratorDecision, chooseAccelerator } from '../../qemu/accel.ts';
import { bootLoaders } from '../../qemu/boot-loaders.ts';
import type { Lab } from '../../qemu/lab.ts';
import type { Machine } from '../../qemu/machine.ts';
import { machineMac } from '../../qemu/network-plan.ts';

const ROOT = join(import.meta.dirname, '../..');
const LAB = join(ROOT, '.cache/lab');
export const STATE = join(LAB, 'state');
export const CONFIG = join(LAB, 'config');
export const STAGE1 = join(STATE, 'stage1/amd64');
/** Where stage-1's Debian packages are unpacked: packages-SUITE-ARCH-KEY. */
export const STAGE1_CACHE = join(ROOT, '.cache/stage1');
export const IMAGE = 'demo';
export const CREDENTIALS = { user: 'demo', password: 'demo' };
/** From power-on to login; generous, for a busy two-core machine without KVM. */
export const LOGIN_TIMEOUT_MS = 6 * 60_000;

/** A first image build downloads a Debian. */
const PREPARE_TIMEOUT_MS = 20 * 60_000;

/** Without a name: everything but an image. */
export function prepareFor(arch: 'amd64' | 'arm64', image?: string): void {
  const wanted = image === undefined ? ['--no-image'] : ['--image', image];
  execFileSync(join(ROOT, 'scripts/lib/prepare-lab'), ['--arch', arch, ...wanted], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: PREPARE_TIMEOUT_MS,
  });
}

/** Builds what is out of date, and finds out how machines can run here. */
export async function prepare(): Promise<AcceleratorDecision> {
  prepareFor('amd64', IMAGE);
  return chooseAccelerator('auto', join(STAGE1, 'vmlinuz'));
}

export interface SecureBootHost extends AcceleratorDecision {
  /** Folder of Debian's signed boot loaders. */
  readonly loaders: string;
}

/** What machines with Secure Boot need as well. */
export const prepareSecureBoot = async (): Promise<SecureBootHost> => ({
  ...(await prepare()),
  loaders: await bootLoaders(),
});

/** The stage-1 command line that the server gives to machine `index`, with `more` behind it. */
export async function stage1Cmdline(lab: Lab, index: number, more: string): Promise<string> {
  const mac = machineMac(index);
  const query = `mac=${mac}&uuid=00000000-0000-0000-0000-000000000000&arch=x86_64&platform=pcbios`;
  const script = await lab.server.get(`/ipxe?${query}`);
  const parameters = /^kernel \S+ (.*?)(?: \|\| .*)?$/m.exec(script)?.[1];
  if (parameters === undefined) throw new Error(`The server's iPXE script loads no kernel:\n${script}`);
  const cmdline = parameters
    .replace(/\binitrd=\S+ ?/, '')
    // What iPXE would put in for its ${mac:hexhyp}.
    .replaceAll(/\$\{mac:hexhyp\}/g, mac.replaceAll(':', '-'));
  return `${cmdline} ${more}`;
}

/** Starts stage-1 on machine `index` past firmware and iPXE, as the server's script would. */
export async function startStage1(
  lab: Lab,
  index: number,
  more = '',
  overrides: Parameters<Lab['powerOn']>[1] = {},
): Promise<Machine> {
  const direct = {
    kernel: join(STAGE1, 'vmlinuz'),
    initrd: join(STAGE1, 'initrd.img'),
    cmdline: await stage1Cmdline(lab, index, more),
  };
  return lab.powerOn(index, { ...overrides, direct });
}
