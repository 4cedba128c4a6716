/** A fresh Debian as the boot server, with the packages of this checkout at hand, and machines that boot from it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Accelerator } from '../../../../qemu/accel.ts';
import { Machine } from '../../../../qemu/machine.ts';
import { Network } from '../../../../qemu/network.ts';
import { machineMac, SITE_ADDRESS, siteDhcpConfiguration, tapName } from '../../../../qemu/network-plan.ts';
import { Program } from '../../../../qemu/program.ts';
import { buildDebs, debsStamp } from './build-debs.ts';
import { buildServerTree, ServerTree } from './server-tree.ts';

export const CACHE = join(import.meta.dirname, '../../../../.cache');
/** LTSP's init runs Python and debconf: a minute, emulated. */
export const LOGIN_TIMEOUT_MS = 10 * 60_000;
export const STEP_MS = 120_000;
const MEMORY_MIB = 1536;

/** Debian's releases that a server may be. */
export type ServerSuite = 'bookworm' | 'trixie';

const treeOf = (suite: ServerSuite): string => join(CACHE, `server-tree-${suite}`);

/** Builds the packages and the Debian that gets them, unless they are there for the sources of now. */
export async function prepareServer(suite: ServerSuite): Promise<void> {
  const debs = buildDebs();
  const tree = treeOf(suite);
  const stamp = `${tree}.stamp`;
  if (existsSync(stamp) && existsSync(tree) && readFileSync(stamp, 'utf8') === debsStamp()) return;
  rmSync(tree, { recursive: true, force: true });
  await buildServerTree(suite, debs, tree);
  writeFileSync(stamp, debsStamp());
}

/** The command that installs packages of this checkout by name. */
export const install = (...packages: string[]): string =>
  `apt-get -qy --no-install-recommends install ${packages.map((name) => `/deb/${name}_*.deb`).join(' ')}`;

export interface ServerLab {
  readonly server: ServerTree;
  /** For transcripts, logs and pictures; gone afterwards. */
  readonly folder: string;
  powerOn(index: number, more?: { readonly memoryMiB?: number; readonly screen?: boolean }): Machine;
}

export interface ServerLabOptions {
  readonly name: string;
  /** What `prepareServer` has been called with. */
  readonly suite: ServerSuite;
  readonly accelerator: Accelerator;
  /** What the server has before anything is installed: from, to. */
  readonly files: readonly (readonly [from: string, to: string])[];
  /** The site's router gives out addresses; without it nobody does. */
  readonly siteDhcp?: boolean;
}

/** Runs `work` with the server up and two machines that are off; all is gone afterwards. */
export async function withServer(
  { name, suite, accelerator, files, siteDhcp = false }: ServerLabOptions,
  work: (lab: ServerLab) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `swarmboot-${name}-`));
  // With the site's end plugged in the bridge has a carrier before a machine is switched on.
  const network = Network.create({ machines: 2, site: true });
  const machines: Machine[] = [];
  let server: ServerTree | undefined;
  let router: Program | undefined;
  try {
    const { namespace } = network;
    if (siteDhcp) {
      writeFileSync(join(folder, 'site.conf'), siteDhcpConfiguration(folder));
      router = new Program({
        name: 'site-dhcp',
        argv: [
          'dnsmasq',
          '--keep-in-foreground',
          '--user=root',
          '--pid-file=',
          `--conf-file=${folder}/site.conf`,
        ],
        namespace: network.siteNamespace,
        logFile: join(folder, 'site-dhcp.log'),
      });
    }
    mkdirSync(join(folder, 'server'));
    server = await ServerTree.boot({ tree: treeOf(suite), namespace, folder: join(folder, 'server'), files });
    // The site's router: LTSP takes the interface of the default route.
    await server.must(`ip route add default via ${SITE_ADDRESS}`);
    // The machines here have a serial line for a screen, which stage-1 must be told of.
    writeFileSync(
      join(server.root, 'etc/default/swarmboot'),
      'SWARMBOOT_OPTIONS="--append console=ttyS0,115200"\n',
    );
    const powerOn: ServerLab['powerOn'] = (index, more = {}) => {
      const machine = new Machine({
        ...{
          name: `${name}${index + 1}`,
          arch: 'amd64',
          accelerator,
          firmware: 'bios',
          nic: 'virtio-net-pci',
        },
        ...{ memoryMiB: MEMORY_MIB, cpus: 1, mac: machineMac(index), tap: tapName(index), namespace, folder },
        ...more,
      });
      machines.push(machine);
      return machine;
    };
    await work({ server, folder, powerOn });
  } catch (error) {
    const said = machines.map(
      ({ name: who, console }) =>
        `${who}:\n${console.lines
          .slice(-15)
          .map(({ text }) => text)
          .join('\n')}`,
    );
    const journal = (await server?.run('journalctl --no-pager -n 30'))?.said ?? '';
    const dhcp = router === undefined ? '' : `\nThe site's DHCP server:\n${router.tail}`;
    throw new Error(`${(error as Error).message}\n${said.join('\n')}\nServer:\n${journal}${dhcp}`, {
      cause: error,
    });
  } finally {
    await Promise.all(machines.map((machine) => machine.powerOff()));
    await server?.stop();
    await router?.stop();
    network.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
