/**
 * What an administrator does: a Debian that had nothing of swarmboot, the packages, at most two commands, and two other
 * machines reach their login. Once without LTSP, on bookworm, and once with it, on trixie, where users come from the server
 * by SSH.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { AcceleratorDecision } from '../../../qemu/accel.ts';
import { bootToLogin, HANDED_OVER } from '../../../qemu/boot-to-login.ts';
import { logIn, waitForLogin } from '../../../qemu/login.ts';
import { machineMac } from '../../../qemu/network-plan.ts';
import { SMALL_EXCLUDES } from '../../../server/image/recipe.ts';
import { CREDENTIALS, IMAGE, prepare } from '../prepare.ts';
import { buildFor } from './package/built-image.ts';
import { makeLtspSite, PUPIL } from './package/ltsp-site.ts';
import {
  CACHE,
  install,
  LOGIN_TIMEOUT_MS,
  prepareServer,
  STEP_MS,
  withServer,
} from './package/server-lab.ts';

let host: AcceleratorDecision;
before(async () => {
  host = await prepare();
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

test('without LTSP, on bookworm: install, two commands, two machines at their login', async () => {
  await prepareServer('bookworm');
  const { user, password } = CREDENTIALS;
  const build = `--name ${IMAGE} --user ${user} --password ${password} --size small`;
  const files = [buildFor(join(CACHE, 'images'), build.split(' '))];
  const options = { name: 'plain', suite: 'bookworm', accelerator: host.accelerator, files } as const;
  await withServer(options, async ({ server, powerOn }) => {
    // docs/admin/quick-start.md, line by line, on a network without DHCP.
    await server.must(install('swarmboot-server', 'swarmboot-stage1-amd64', 'swarmboot-seed'));
    assert.equal(
      (await server.run('systemctl is-active swarmboot')).said,
      'inactive\n',
      'nothing before setup',
    );
    const setup = await server.must('swarmboot setup --mode full');
    assert.match(setup, /Restarted dnsmasq\.service\n[\s\S]*Restarted swarmboot\.service\n/);
    const made = await server.must(`swarmboot image build ${build}`);
    assert.match(made, /Taking the build of [\d.]+ hours ago/);
    const machines = [0, 1].map((index) => powerOn(index));
    // In the middle of it somebody restarts the server, which loses nobody.
    const restarted = machines[0]
      ?.expect(/swarmboot: phase swarm: start/, { from: 0, timeoutMs: LOGIN_TIMEOUT_MS })
      .then(() => server.must('systemctl restart swarmboot'));
    restarted?.catch(() => {}); // it is looked at below
    const outcomes = await Promise.all(
      machines.map((machine) =>
        bootToLogin(machine, { credentials: CREDENTIALS, timeoutMs: LOGIN_TIMEOUT_MS }),
      ),
    );
    for (const outcome of outcomes) assert.ok(outcome.ok, `${outcome.name}: ${outcome.failure}`);
    await restarted;
    const doctor = await server.run('swarmboot doctor');
    assert.match(doctor.said, /swarmboot: machines can boot/, doctor.said);
    const known = await server.must('swarmboot machine list --json');
    for (const index of [0, 1]) assert.ok(known.includes(machineMac(index)), known);

    // The unit as the systemd of bookworm sees it. A server that hangs is restarted; a shorter patience than a minute here.
    await server.must('systemd-analyze security --no-pager --threshold=20 swarmboot.service');
    await server.must(
      'mkdir -p /run/systemd/system/swarmboot.service.d; printf "[Service]\\nWatchdogSec=6\\n" >/run/systemd/system/swarmboot.service.d/lab.conf; systemctl daemon-reload; systemctl restart swarmboot',
    );
    await server.must(
      'kill -STOP $(systemctl show -P MainPID swarmboot); for i in $(seq 60); do [ "$(systemctl show -P NRestarts swarmboot)" = 1 ] && break; sleep 1; done',
    );
    const journal = await server.must('journalctl --no-pager -u swarmboot');
    assert.match(journal, /Watchdog timeout/, journal);
    await server.must('timeout 30 sh -c "until systemctl is-active swarmboot; do sleep 1; done"');
  });
});

const LTSP_CONF = `[server]
KERNEL_PARAMETERS="mitigations=off"
[clients]
HOSTNAME="pc%{MAC}"
[${machineMac(0)}]
HOSTNAME=front-desk
`;

test('with LTSP, on trixie: install, two commands, and a user of the server logs in on two clients', async () => {
  await prepareServer('trixie');
  const files = [[ltspChroot(), '/srv/ltsp/x86_64']] as const;
  const options = { name: 'ltsp', suite: 'trixie', accelerator: host.accelerator, files } as const;
  await withServer(options, async ({ server, powerOn }) => {
    await makeLtspSite(server, { conf: LTSP_CONF, home: { homework: 'homework\n' } });
    // The package's one question is answered beforehand: it sets itself up, beside a DHCP server that may be there.
    await server.must('echo swarmboot-server swarmboot-server/interface string br0 | debconf-set-selections');
    const installed = await server.must(
      install('swarmboot-server', 'swarmboot-stage1-amd64', 'ltsp-swarmboot'),
    );
    assert.match(installed, /Machines boot on br0, where this server is/);
    assert.equal(await server.must('systemctl is-active dnsmasq swarmboot'), 'active\nactive\n');
    assert.match(await server.must('cat /etc/dnsmasq.d/swarmboot.conf'), /^dhcp-range=[\d.]+,proxy,/m);
    // There is none, so it becomes one; the interface stays.
    await server.must('swarmboot setup --mode full');
    const published = await server.must('ltsp swarm publish x86_64');
    assert.match(published, /Running: ltsp image x86_64/);
    const login = async (index: number, name: string): Promise<void> => {
      const machine = powerOn(index);
      const handover = await machine.expect(HANDED_OVER, { from: 0, timeoutMs: LOGIN_TIMEOUT_MS });
      const prompt = await waitForLogin(machine, handover.end, LOGIN_TIMEOUT_MS);
      const shell = await logIn(machine, prompt, PUPIL, STEP_MS);
      // Three times: a message of the kernel may break into a line. The echo on the terminal has $(...) in it.
      machine.send(
        'for i in 1 2 3; do echo "name=$(hostname) home=$(cat ~/homework) on=$(stat -fc %T ~) root=$(awk \'$3 == "squashfs" { print $1 }\' /proc/mounts) init=$(systemctl is-active ltsp) parameters=$(grep -o mitigations=off /proc/cmdline)"; sleep 3; done\r',
      );
      const facts = `name=${name} home=homework on=fuse root=/dev/pmem0 init=active parameters=mitigations=off`;
      await machine.expect(new RegExp(`^${facts}$`, 'm'), { from: shell, timeoutMs: STEP_MS });
    };
    await Promise.all([login(0, 'front-desk'), login(1, `pc${machineMac(1).replaceAll(':', '')}`)]);
  });
});
