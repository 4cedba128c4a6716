/**
 * What an administrator does: a Debian that had nothing of swarmboot, the packages, at most two commands, and two other
 * machines reach their login. Once without LTSP and once with it, where users come from the server by SSH.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AcceleratorDecision } from '../../../qemu/accel.ts';
import { bootToLogin, HANDED_OVER } from '../../../qemu/boot-to-login.ts';
import { logIn, waitForLogin } from '../../../qemu/login.ts';
import { Machine } from '../../../qemu/machine.ts';
import { Network } from '../../../qemu/network.ts';
import { machineMac, SITE_ADDRESS, tapName } from '../../../qemu/network-plan.ts';
import { recipeKey, SMALL_EXCLUDES } from '../../../server/image/recipe.ts';
import { CREDENTIALS, IMAGE, prepare } from '../prepare.ts';
import { buildDebs, debsStamp } from './package/build-debs.ts';
import { buildServerTree, ServerTree } from './package/server-tree.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CACHE = join(ROOT, '.cache');
/** LTSP's init runs Python and debconf: a minute, emulated. */
const LOGIN_TIMEOUT_MS = 10 * 60_000;
const STEP_MS = 120_000;
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

/** What LTSP calls a chroot: a Debian client with LTSP in it, kept for the next run. */
function ltspChroot(): string {
  const kept = join(CACHE, 'ltsp-chroot-1');
  if (existsSync(kept)) return kept;
  const work = `${kept}.new`;
  rmSync(work, { recursive: true, force: true });
  const packages = [
    'linux-image-amd64',
    'systemd-sysv',
    'udev',
    'initramfs-tools',
    'zstd',
    'dbus',
    'iproute2',
    'kmod',
  ];
  packages.push('login', 'passwd', 'busybox', 'ltsp', 'sshfs', 'openssh-client');
  const unused = SMALL_EXCLUDES.map((path) => `"$1"/usr/lib/modules/*/kernel/${path}`).join(' ');
  execFileSync(
    'unshare',
    [
      ...['--mount', '--', 'mmdebstrap', '--variant=minbase', '--format=directory'],
      '--aptopt=Apt::Install-Recommends "false"',
      ...['man', 'locale', 'doc'].map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`),
      `--include=${packages.join(',')}`,
      `--customize-hook=rm -rf ${unused}; for m in "$1"/usr/lib/modules/*; do chroot "$1" depmod "\${m##*/}"; done`,
      ...['trixie', work],
    ],
    { timeout: 900_000, stdio: 'pipe' },
  );
  renameSync(work, kept);
  return kept;
}

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
    // The site's router: LTSP takes the interface of the default route.
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

test('without LTSP: install, two commands, two machines at their login', async () => {
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

const PUPIL = { user: 'pupil', password: 'learn-2-boot' };
const LTSP_CONF = `[server]
KERNEL_PARAMETERS="mitigations=off"
[clients]
HOSTNAME="pc%{MAC}"
[${machineMac(0)}]
HOSTNAME=front-desk
`;

test('with LTSP: install, two commands, and a user of the server logs in on two clients', async () => {
  await withServer('ltsp', [[ltspChroot(), '/srv/ltsp/x86_64']], async (server, powerOn) => {
    // A server of LTSP has users, and what it wants of its clients.
    await server.must(
      `useradd --create-home --shell /bin/bash ${PUPIL.user}; echo '${PUPIL.user}:${PUPIL.password}' | chpasswd`,
    );
    await server.must(
      'mkdir -p /etc/ltsp; echo homework >/home/pupil/homework; chown pupil: /home/pupil/homework',
    );
    writeFileSync(join(server.root, 'etc/ltsp/ltsp.conf'), LTSP_CONF);
    await server.must(install('swarmboot-server', 'swarmboot-stage1-amd64', 'ltsp-swarmboot'));
    await server.must('swarmboot setup --interface br0 --mode full');
    const published = await server.must('ltsp swarm publish x86_64');
    assert.match(published, /Running: ltsp image x86_64/);
    const login = async (index: number, name: string): Promise<string> => {
      const machine = powerOn(index);
      const handover = await machine.expect(HANDED_OVER, { from: 0, timeoutMs: LOGIN_TIMEOUT_MS });
      const prompt = await waitForLogin(machine, handover.end, LOGIN_TIMEOUT_MS);
      const shell = await logIn(machine, prompt, PUPIL, STEP_MS);
      // One line for each fact; its echo on the terminal has $(...) in it.
      machine.send(
        'echo "name=$(hostname) home=$(cat ~/homework) on=$(stat -fc %T ~) root=$(awk \'$3 == "squashfs" { print $1 }\' /proc/mounts) init=$(systemctl is-active ltsp) parameters=$(grep -o mitigations=off /proc/cmdline)"\r',
      );
      const facts = await machine.expect(/^name=(?!\$).*$/m, { from: shell, timeoutMs: STEP_MS });
      assert.equal(
        facts.match[0].trim(),
        `name=${name} home=homework on=fuse root=/dev/pmem0 init=active parameters=mitigations=off`,
      );
      return facts.match[0];
    };
    await Promise.all([login(0, 'front-desk'), login(1, `pc${machineMac(1).replaceAll(':', '')}`)]);
  });
});
