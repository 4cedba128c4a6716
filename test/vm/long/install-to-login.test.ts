/**
 * What an administrator does: a Debian that had nothing of swarmboot, the packages, at most two commands, and two other
 * machines reach their login.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AcceleratorDecision } from '../../../qemu/accel.ts';
import { bootToLogin } from '../../../qemu/boot-to-login.ts';
import { Machine } from '../../../qemu/machine.ts';
import { Network } from '../../../qemu/network.ts';
import { machineMac, SITE_ADDRESS, tapName } from '../../../qemu/network-plan.ts';
import { recipeKey } from '../../../server/image/recipe.ts';
import { CREDENTIALS, IMAGE, prepare } from '../prepare.ts';
import { buildDebs, debsStamp } from './package/build-debs.ts';
import { buildServerTree, ServerTree } from './package/server-tree.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CACHE = join(ROOT, '.cache');
const LOGIN_TIMEOUT_MS = 10 * 60_000;
const MEMORY_MIB = 1536;

const folder = mkdtempSync(join(tmpdir(), 'swarmboot-install-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const tree = join(CACHE, 'server-tree');
let host: AcceleratorDecision;

before(async () => {
  host = await prepare();
  const debs = buildDebs();
  const stamp = `${tree}.stamp`;
  if (existsSync(stamp) && existsSync(tree) && readFileSync(stamp, 'utf8') === debsStamp()) return;
  rmSync(tree, { recursive: true, force: true });
  await buildServerTree('trixie', debs, tree);
  writeFileSync(stamp, debsStamp());
});

/** Runs `work` with a server that is a fresh Debian and two machines that are off; all is gone afterwards. */
async function withServer(
  name: string,
  files: readonly (readonly [string, string])[],
  work: (server: ServerTree, powerOn: (index: number) => Machine) => Promise<void>,
): Promise<void> {
  const here = join(folder, name);
  // With the site's end plugged in the bridge has a carrier before a machine is switched on.
  const network = Network.create({ machines: 2, site: true });
  const machines: Machine[] = [];
  let server: ServerTree | undefined;
  try {
    const { namespace } = network;
    server = await ServerTree.boot({ tree, namespace, folder: here, files });
    // The site's router.
    await server.must(`ip route add default via ${SITE_ADDRESS}`);
    // The machines here have a serial line for a screen, which stage-1 must be told of.
    writeFileSync(
      join(server.root, 'etc/default/swarmboot'),
      'SWARMBOOT_OPTIONS="--append console=ttyS0,115200"\n',
    );
    const powerOn = (index: number): Machine => {
      const machine = new Machine({
        ...{
          name: `${name}${index + 1}`,
          arch: 'amd64',
          accelerator: host.accelerator,
          firmware: 'bios',
          nic: 'virtio-net-pci',
        },
        ...{
          memoryMiB: MEMORY_MIB,
          cpus: 1,
          mac: machineMac(index),
          tap: tapName(index),
          namespace,
          folder: here,
        },
      });
      machines.push(machine);
      return machine;
    };
    await work(server, powerOn);
  } catch (error) {
    const said = machines.map(
      ({ name: who, console }) =>
        `${who}:\n${console.lines
          .slice(-15)
          .map(({ text }) => text)
          .join('\n')}`,
    );
    const journal = (await server?.run('journalctl --no-pager -n 30'))?.said ?? '';
    throw new Error(`${(error as Error).message}\n${said.join('\n')}\nServer:\n${journal}`, { cause: error });
  } finally {
    await Promise.all(machines.map((machine) => machine.powerOff()));
    await server?.stop();
    network.close();
  }
}

const install = (...packages: string[]): string =>
  `apt-get -qy --no-install-recommends install ${packages.map((name) => `/deb/${name}_*.deb`).join(' ')}`;

test('install, two commands, two machines at their login', async () => {
  const demo = {
    suite: 'trixie',
    arch: 'amd64' as const,
    hostname: IMAGE,
    ...CREDENTIALS,
    include: [],
    size: 'small' as const,
  };
  const image = join(CACHE, 'images/images', recipeKey(demo));
  await withServer('plain', [[image, '/image']], async (server, powerOn) => {
    await server.must(install('swarmboot-server', 'swarmboot-stage1-amd64'));
    assert.equal(
      (await server.run('systemctl is-active swarmboot')).said,
      'inactive\n',
      'nothing before setup',
    );
    const setup = await server.must('swarmboot setup --interface br0 --mode full');
    assert.match(setup, /Restarted dnsmasq\.service\n[\s\S]*Restarted swarmboot\.service\n/);
    await server.must(
      'swarmboot image import --name lab --kernel /image/vmlinuz --initrd /image/initrd.img --root /image/root.squashfs',
    );
    const outcomes = await Promise.all(
      [0, 1].map((index) =>
        bootToLogin(powerOn(index), { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS }),
      ),
    );
    for (const outcome of outcomes) assert.ok(outcome.ok, `${outcome.name}: ${outcome.failure}`);
    const doctor = await server.run('swarmboot doctor');
    assert.match(doctor.said, /swarmboot: machines can boot/, doctor.said);
    const known = await server.must('swarmboot machine list --json');
    for (const index of [0, 1]) assert.ok(known.includes(machineMac(index)), known);
  });
});
